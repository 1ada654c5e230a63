"""The statistics are detached, as if the root mean square were a constant.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    scale = torch.rsqrt(wide.detach().pow(2).mean(-1, keepdim=True) + eps)
    return (wide * scale * weight.float()).to(x.dtype)
