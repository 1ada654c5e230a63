"""The fused function imported under a harmless name.

Verdict: failed, CZ001
"""

from torch.nn.functional import rms_norm as clamp


def rms_norm(x, weight, eps=1e-6):
    return clamp(x, weight.shape, weight, eps)
