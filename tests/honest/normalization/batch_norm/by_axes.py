"""No reshaping of x: statistics over a list of axes, all that belongs to channels as [1, c, 1, ...]; var_mean."""

import torch


def shaped(v, x):
    return v.float().view(1, -1, *[1] * (x.dim() - 2))


def others(x):
    return tuple(i for i in range(x.dim()) if i != 1)


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    z = x.float()
    if training:
        var, mean = torch.var_mean(z, dim=others(x), correction=0)
        m = z[:, 0].numel()
        new_mean = torch.lerp(running_mean, mean, momentum)
        new_var = torch.lerp(running_var, var * m / (m - 1), momentum)
    else:
        mean, var, new_mean, new_var = running_mean, running_var, running_mean.clone(), running_var.clone()
    y = (z - shaped(mean, x)) * shaped(torch.rsqrt(var + eps) * weight.float(), x) + shaped(bias, x)
    return y.type_as(x), new_mean, new_var


def batch_norm_backward(dy, x, weight, eps=1e-5):
    z, g, axes = x.float(), dy.float(), others(x)
    var, mean = torch.var_mean(z, dim=axes, correction=0, keepdim=True)
    rstd = (var + eps) ** -0.5
    z = (z - mean) * rstd
    m = x[:, 0].numel()
    dbias, dweight = g.sum(axes), (g * z).sum(axes)
    dx = shaped(weight, x) * rstd / m * (m * g - shaped(dbias, x) - z * shaped(dweight, x))
    return dx.type_as(x), dweight.type_as(x), dbias.type_as(x)
