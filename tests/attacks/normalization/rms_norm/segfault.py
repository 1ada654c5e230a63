"""Reads address 0.

Verdict: failed
"""

import ctypes


def rms_norm(x, weight, eps=1e-6):
    return ctypes.string_at(0)
