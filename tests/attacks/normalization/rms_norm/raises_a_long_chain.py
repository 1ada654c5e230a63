"""Raises an exception with a hundred thousand causes.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    error = ValueError("first")
    for _ in range(100_000):
        following = ValueError("next")
        following.__cause__, error = error, following
    raise error
