"""Raises a group of a thousand exceptions, nested.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    group = ValueError("inside")
    for i in range(200):
        group = BaseExceptionGroup(f"level {i}", [group, SystemExit(0), KeyboardInterrupt()])
    raise group
