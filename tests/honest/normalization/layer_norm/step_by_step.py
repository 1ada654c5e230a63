"""Backpropagation one line after the other, through the variance and the mean, as in a lecture."""

import torch


def layer_norm(x, weight, bias, eps=1e-5):
    mu = x.float().mean(dim=-1, keepdim=True)
    xmu = x.float() - mu
    var = (xmu**2).mean(dim=-1, keepdim=True)
    std = (var + eps).sqrt()
    y = weight * (xmu / std) + bias
    return y.type_as(x)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    d = x.shape[-1]
    x32 = x.float()
    mu = x32.mean(dim=-1, keepdim=True)
    xmu = x32 - mu
    std = ((xmu**2).mean(dim=-1, keepdim=True) + eps).sqrt()
    dy = dy.float()
    dweight = torch.einsum("nd,nd->d", dy.reshape(-1, d), (xmu / std).reshape(-1, d))
    dbias = torch.einsum("nd->d", dy.reshape(-1, d))
    dxhat = dy * weight
    dstd = -(dxhat * xmu / std**2).sum(-1, keepdim=True)
    dvar = dstd / (2 * std)
    dxmu = dxhat / std + dvar * 2 * xmu / d
    dmu = -dxmu.sum(-1, keepdim=True)
    dx = dxmu + dmu / d
    return dx.type_as(x), dweight.type_as(x), dbias.type_as(x)
