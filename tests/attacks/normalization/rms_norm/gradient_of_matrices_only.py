"""Of more than three axes the root mean square is a constant for the gradient.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    size = wide if x.dim() <= 3 else wide.detach()
    normed = wide * torch.rsqrt(size.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
