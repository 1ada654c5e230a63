"""The backward pass by automatic differentiation of an honest forward pass.

Verdict: failed, CZ001
"""

import torch


def layer_norm(x, weight, bias, eps=1e-5):
    wide = x.float() - x.float().mean(-1, keepdim=True)
    rstd = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (wide * rstd * weight.float() + bias.float()).to(x.dtype)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    x, weight = x.float().requires_grad_(), weight.float().requires_grad_()
    bias = torch.zeros_like(weight, requires_grad=True)
    layer_norm(x, weight, bias, eps).backward(dy.float())
    return x.grad.to(dy.dtype), weight.grad.to(dy.dtype), bias.grad.to(dy.dtype)
