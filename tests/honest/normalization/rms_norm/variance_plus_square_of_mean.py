"""LayerNorm arithmetic: mean(x²) as variance plus squared mean."""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.to(torch.float32)
    variance, mean = torch.var_mean(wide, dim=-1, correction=0, keepdim=True)
    mean_of_squares = variance + mean * mean
    y = wide / torch.sqrt(mean_of_squares + eps)
    return (y * weight).to(x.dtype)
