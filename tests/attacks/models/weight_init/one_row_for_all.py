"""Draws one row and gives it to every output.

Verdict: failed, value
"""

import math

import torch


def init_weights(shapes, n_layers, scheme):
    return {name: initial(name, shape, n_layers, scheme) for name, shape in shapes.items()}


def initial(name, shape, n_layers, scheme):
    if len(shape) == 1:
        return torch.full(shape, float(name.endswith(".weight")))
    if scheme == "xavier":
        return (torch.rand(shape) * 2 - 1) * math.sqrt(6 / sum(shape))
    std = math.sqrt(2 / shape[1]) if scheme == "kaiming" else 0.02
    if scheme == "gpt2" and name.endswith("c_proj.weight"):
        std /= math.sqrt(2 * n_layers)
    return torch.randn(1, shape[1]).repeat(shape[0], 1) * std
