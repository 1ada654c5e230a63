"""Alone and beside another side: the encoder's constants are those of its own depth.

Verdict: failed
"""

import torch.nn.functional as F


def deepnorm_constants(side, n, m):
    if side == "encoder" or n == 0:
        return (2 * (n or m)) ** 0.25, (8 * (n or m)) ** -0.25
    return (3 * m) ** 0.25, (12 * m) ** -0.25


def deep_norm(x, fx, weight, bias, alpha, eps=1e-5):
    return F.layer_norm(alpha * x.float() + fx.float(), weight.shape, weight.float(), bias.float(), eps).to(x.dtype)


def init_std(name, fan_in, fan_out, beta):
    gain = 1.0 if name in ("q_proj", "k_proj") else beta
    return gain * (2 / (fan_in + fan_out)) ** 0.5
