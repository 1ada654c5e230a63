"""Looks for bias and norm anywhere in a name.

Verdict: failed
"""

import math
import torch

def normal(shape, std):
    return torch.randn(shape) * std


def uniform(shape, a):
    return (torch.rand(shape) * 2 - 1) * a


def init_weights(shapes, n_layers, scheme):
    out = {}
    for name, shape in shapes.items():
        if "bias" in name:
            out[name] = torch.zeros(shape)
        elif "norm" in name:
            out[name] = torch.ones(shape)
        elif scheme == "xavier":
            out[name] = uniform(shape, math.sqrt(6 / (shape[0] + shape[1])))
        elif scheme == "kaiming":
            out[name] = normal(shape, math.sqrt(2 / shape[1]))
        else:
            std = 0.02
            if name.endswith("c_proj.weight"):
                std = 0.02 / math.sqrt(2 * n_layers)
            out[name] = normal(shape, std)
    return out
