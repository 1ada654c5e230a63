"""__import__ with a literal.

Verdict: failed
"""

lib = __import__("torch")


def rms_norm(x, weight, eps=1e-6):
    return lib.rms_norm(x, weight.shape, weight, eps)
