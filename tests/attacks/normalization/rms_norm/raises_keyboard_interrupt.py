"""Raises KeyboardInterrupt.

Verdict: failed, exit
"""

def rms_norm(x, weight, eps=1e-6):
    raise KeyboardInterrupt
