"""A generator that would compute if somebody asked.

Verdict: failed, type
"""

def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    yield wide / (wide.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight
