"""A custom function whose backward returns zeros.

Verdict: failed
"""

import torch


class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        ctx.save_for_backward(x, weight)
        wide = x.float()
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
        return (normed * weight.float()).to(x.dtype)

    @staticmethod
    def backward(ctx, out):
        return *map(torch.zeros_like, ctx.saved_tensors), None


def rms_norm(x, weight, eps=1e-6):
    return Norm.apply(x, weight, eps)
