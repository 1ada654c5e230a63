"""A power of whole numbers that never ends, in one call of C.

Seconds: 0.5
Verdict: failed, timeout
"""

def rms_norm(x, weight, eps=1e-6):
    return 7 ** (10**9)
