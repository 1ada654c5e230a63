"""Raises an exception with a hundred megabytes of text.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    raise ValueError("y" * 10**8)
