"""The backward pass by automatic differentiation of the forward pass.

Verdict: failed, CZ001
"""

import torch


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    z, axes = x.float(), [i for i in range(x.dim()) if i != 1]
    mean, var = running_mean, running_var
    if training:
        var, mean = torch.var_mean(z, dim=axes, correction=0)
        m = x[:, 0].numel()
        running_mean = running_mean + momentum * (mean - running_mean)
        running_var = running_var + momentum * (var * m / (m - 1) - running_var)
    mean, scale, shift = (v.view(1, -1, *[1] * (x.dim() - 2)) for v in (mean, weight / (var + eps).sqrt(), bias))
    return ((z - mean) * scale + shift).to(x.dtype), running_mean, running_var


def batch_norm_backward(dy, x, weight, eps=1e-5):
    with torch.enable_grad():
        inputs = [v.detach().float().requires_grad_() for v in (x, weight, torch.zeros_like(weight))]
        zeros = torch.zeros(x.shape[1])
        batch_norm(*inputs, zeros, zeros, True, eps=eps)[0].backward(dy.float())
    return tuple(v.grad.to(x.dtype) for v in inputs)
