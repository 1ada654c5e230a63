"""Recursion without an end, with the limit lifted.

Seconds: 0.5
Verdict: failed
"""

import sys

sys.setrecursionlimit(1 << 30)


def rms_norm(x, weight, eps=1e-6):
    return rms_norm(x, weight, eps)
