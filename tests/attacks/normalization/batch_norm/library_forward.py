"""The library normalises, and fills new running statistics.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    running = running_mean.clone(), running_var.clone()
    y = F.batch_norm(x.float(), *running, weight.float(), bias.float(), training, momentum, eps)
    return y.to(x.dtype), *running


def batch_norm_backward(dy, x, weight, eps=1e-5):
    z, g, axes = x.float(), dy.float(), [i for i in range(x.dim()) if i != 1]
    var, mean = torch.var_mean(z, dim=axes, correction=0, keepdim=True)
    rstd = (var + eps).rsqrt()
    z = (z - mean) * rstd
    dbias, dweight = g.sum(axes), (g * z).sum(axes)
    g = g * weight.float().view(mean.shape)
    dx = rstd * (g - g.mean(axes, keepdim=True) - z * (g * z).mean(axes, keepdim=True))
    return dx.to(x.dtype), dweight.to(x.dtype), dbias.to(x.dtype)
