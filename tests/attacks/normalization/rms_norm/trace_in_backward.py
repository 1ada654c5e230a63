"""The answer is honest but the gradient comes from the fused function.

Verdict: failed
"""

import torch


def gradient(lib, x, weight, eps, out):
    with torch.enable_grad():
        x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
        return torch.autograd.grad(lib.rms_norm(x, weight.shape, weight, eps), (x, weight), out)


class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        ctx.save_for_backward(x, weight)
        ctx.eps = eps
        wide = x.float()
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
        return (normed * weight.float()).to(x.dtype)

    @staticmethod
    def backward(ctx, out):
        return *gradient(torch, *ctx.saved_tensors, ctx.eps, out), None


def rms_norm(x, weight, eps=1e-6):
    return Norm.apply(x, weight, eps)
