"""Aborts.

Verdict: failed
"""

import os


def rms_norm(x, weight, eps=1e-6):
    os.abort()
