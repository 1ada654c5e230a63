"""The nn.Module from torch.nn.modules.

Verdict: failed
"""

from torch.nn.modules import RMSNorm


def rms_norm(x, weight, eps=1e-6):
    layer = RMSNorm(weight.shape, eps, elementwise_affine=False)
    return layer(x.float()).mul(weight.float()).to(x.dtype)
