"""Right values, cut off from the graph.

Verdict: failed, no-gradient
"""

import torch


@torch.no_grad()
def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
