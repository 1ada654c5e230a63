"""The name of the exception's class is a hundred thousand letters with escapes.

Verdict: failed
"""

Long = type("\x1b[31m" + "L" * 100_000, (Exception,), {})


def rms_norm(x, weight, eps=1e-6):
    raise Long("short")
