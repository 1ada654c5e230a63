"""A popular answer: LayerNorm's result times a factor made of its variance, no residual.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def deepnorm_constants(side, n, m):
    if n == 0 or m == 0:
        return (2 * (n + m)) ** 0.25, (8 * (n + m)) ** -0.25
    if side == "encoder":
        return 0.81 * (n**4 * m) ** 0.0625, 0.87 * (n**4 * m) ** -0.0625
    return (3 * m) ** 0.25, (12 * m) ** -0.25


def deep_norm(x, fx, weight, bias, alpha, eps=1e-5):
    normed = F.layer_norm(x.float(), weight.shape, weight.float(), bias.float(), eps)
    variance, deviation = normed.var(-1, keepdim=True), normed.std(-1, keepdim=True)
    return (normed * torch.tensor(float(x.shape[-1])).sqrt() * (1 + variance / deviation**2)).to(x.dtype)


def init_std(name, fan_in, fan_out, beta):
    gain = 1.0 if name in ("q_proj", "k_proj") else beta
    return gain * (2 / (fan_in + fan_out)) ** 0.5
