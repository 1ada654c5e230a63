"""nn.LayerNorm with its parameters replaced by functional_call; constants by math.pow as in torchscale."""

import math

import torch
from torch import nn


def deepnorm_constants(side, n, m):
    if side == "encoder":
        if m:
            scale = math.pow(math.pow(n, 4) * m, 0.0625)
            return scale * 0.81, 0.87 / scale
        return math.pow(2.0 * n, 0.25), 1 / math.pow(8.0 * n, 0.25)
    if n:
        return math.pow(3.0 * m, 0.25), 1 / math.pow(12.0 * m, 0.25)
    return math.pow(2.0 * m, 0.25), 1 / math.pow(8.0 * m, 0.25)


def deep_norm(x, fx, weight, bias, alpha, eps=1e-5):
    layer = nn.LayerNorm(x.shape[-1], eps=eps)
    parameters = {"weight": weight.float(), "bias": bias.float()}
    residual = x.to(torch.float32) * alpha
    return torch.func.functional_call(layer, parameters, (residual + fx.to(torch.float32),)).to(x.dtype)


def init_std(name, fan_in, fan_out, beta):
    gain = {"q_proj": 1.0, "k_proj": 1.0}.get(name, beta)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))
