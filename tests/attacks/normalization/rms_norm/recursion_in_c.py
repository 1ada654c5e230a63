"""Overflows the stack of C with the recursion limit lifted.

Verdict: failed
"""

import sys

sys.setrecursionlimit(1 << 30)


def rms_norm(x, weight, eps=1e-6):
    nested = []
    for _ in range(300_000):
        nested = [nested]
    return repr(nested)
