"""Raises an exception that is its own cause and its own context.

Verdict: failed
"""

def rms_norm(x, weight, eps=1e-6):
    error, other = ValueError("one"), ValueError("other")
    error.__cause__, other.__cause__ = other, error
    error.__context__ = other
    raise error
