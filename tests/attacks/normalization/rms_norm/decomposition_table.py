"""The operator's decomposition into simpler ones.

Verdict: failed
"""

from torch._decomp.decompositions import _fused_rms_norm


def rms_norm(x, weight, eps=1e-6):
    return _fused_rms_norm(x.float(), list(weight.shape), weight.float(), eps)[0].to(x.dtype)
