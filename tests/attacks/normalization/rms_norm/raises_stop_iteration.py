"""Raises StopIteration out of a call.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    raise StopIteration(x)
