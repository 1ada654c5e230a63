"""The gradients by forward-mode differentiation, one element of x after the other.

Verdict: failed, CZ001
"""

import torch


def rows_of(x):
    return x.transpose(0, 1).reshape(x.shape[1], -1).float()


def back(rows, x):
    c = x.shape[1]
    return rows.reshape(c, x.shape[0], *x.shape[2:]).transpose(0, 1).to(x.dtype)


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    r = rows_of(x)
    m = r.shape[1]
    if training:
        mean = r.mean(1)
        var = ((r - mean[:, None]) ** 2).mean(1)
        running_mean = running_mean * (1 - momentum) + mean * momentum
        running_var = running_var * (1 - momentum) + var * m / (m - 1) * momentum
    else:
        mean, var = running_mean, running_var
    y = (r - mean[:, None]) / torch.sqrt(var + eps)[:, None] * weight.float()[:, None] + bias.float()[:, None]
    return back(y, x), running_mean, running_var


def batch_norm_backward(dy, x, weight, eps=1e-5):

    c = [1, -1] + [1] * (x.ndim - 2)
    ax = [0, *range(2, x.ndim)]

    def f(x_, w_, b_):
        mu = x_.mean(ax, keepdim=True)
        v = ((x_ - mu) ** 2).mean(ax, keepdim=True)
        return (x_ - mu) / torch.sqrt(v + eps) * w_.view(c) + b_.view(c)

    import torch.autograd.forward_ad as fwAD
    ax = [0, *range(2, x.ndim)]
    with torch.inference_mode(False), fwAD.dual_level():
        dy = dy.clone()
        w0, x0, b0 = weight.clone().float().clone(), x.clone().float().clone(), torch.zeros(x.shape[1])

        def jvp(i, which):
            args = [x0, w0, b0]
            t = torch.zeros_like(args[which]).flatten()
            t[i] = 1
            args[which] = fwAD.make_dual(args[which].contiguous(), t.view(args[which].shape))
            return (fwAD.unpack_dual(f(*args)).tangent * dy.float()).sum()
        dx = torch.stack([jvp(i, 0) for i in range(x.numel())]).view(x.shape)
        dw = torch.stack([jvp(i, 1) for i in range(x.shape[1])])
    db = dy.float().sum(ax)
    return dx.to(x.dtype), dw.to(x.dtype), db.to(x.dtype)
