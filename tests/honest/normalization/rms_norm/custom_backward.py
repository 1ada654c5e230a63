"""A torch.autograd.Function with a backward derived by hand."""

import torch


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        wide = x.float()
        inverse = (wide.square().mean(dim=-1, keepdim=True) + eps).rsqrt()
        ctx.save_for_backward(x, weight, inverse)
        return (wide * inverse * weight.float()).type_as(x)

    @staticmethod
    def backward(ctx, grad):
        x, weight, inverse = ctx.saved_tensors
        g = grad.float()
        normed = x.float() * inverse
        gw = g * weight.float()
        dx = inverse * (gw - normed * (gw * normed).mean(dim=-1, keepdim=True))
        dw = (g * normed).reshape(-1, weight.numel()).sum(0)
        return dx.to(x.dtype), dw.to(weight.dtype), None


def rms_norm(x, weight, eps=1e-6):
    return _RMSNorm.apply(x, weight, eps)
