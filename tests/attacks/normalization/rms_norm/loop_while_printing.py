"""Prints for ever.

Seconds: 0.5
Verdict: failed, timeout
"""

def rms_norm(x, weight, eps=1e-6):
    while True:
        print("y" * 10_000)
