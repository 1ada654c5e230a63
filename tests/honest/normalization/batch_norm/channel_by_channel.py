"""A loop over the channels, each as one long vector; Python numbers for the running statistics' shares."""

import torch
from torch import Tensor


def batch_norm(
    x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, training: bool,
    momentum: float = 0.1, eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    y = torch.empty(x.shape, dtype=torch.float32)
    means, variances = running_mean.clone(), running_var.clone()
    for c in range(x.size(1)):
        values = x[:, c].float()
        mean, var = running_mean[c], running_var[c]
        if training:
            mean = values.mean()
            var = torch.mean((values - mean) ** 2)
            count = values.numel()
            means[c] += momentum * (mean - running_mean[c])
            variances[c] += momentum * (count / (count - 1) * var - running_var[c])
        y[:, c] = (values - mean) / (var + eps).sqrt() * weight[c].float() + bias[c].float()
    return y.to(x.dtype), means, variances


def batch_norm_backward(dy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    dx = torch.empty(x.shape, dtype=torch.float32)
    dweight, dbias = [], []
    for c in range(x.size(1)):
        values, g = x[:, c].float(), dy[:, c].float()
        centred = values - values.mean()
        deviation = (centred.square().mean() + eps).sqrt()
        normed = centred / deviation
        dweight.append((g * normed).sum())
        dbias.append(g.sum())
        g = g * weight[c].float()
        dx[:, c] = (g - g.mean() - normed * (g * normed).mean()) / deviation
    return dx.to(x.dtype), torch.stack(dweight).to(x.dtype), torch.stack(dbias).to(x.dtype)
