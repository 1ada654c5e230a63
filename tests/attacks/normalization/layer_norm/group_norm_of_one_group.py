"""group_norm with one group is the same thing.

Verdict: failed, CZ001
"""

import torch


def layer_norm(x, weight, bias, eps=1e-5):
    flat = x.float().reshape(-1, x.shape[-1])
    return torch.group_norm(flat, 1, weight.float(), bias.float(), eps).reshape(x.shape).to(x.dtype)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    wide = x.float() - x.float().mean(-1, keepdim=True)
    rstd = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    normed, dnormed = wide * rstd, dy.float() * weight.float()
    dx = rstd * (dnormed - dnormed.mean(-1, keepdim=True) - normed * (dnormed * normed).mean(-1, keepdim=True))
    dweight, dbias = (dy.float() * normed).reshape(-1, x.shape[-1]).sum(0), dy.float().reshape(-1, x.shape[-1]).sum(0)
    return dx.to(x.dtype), dweight.to(x.dtype), dbias.to(x.dtype)
