"""A new torch.Generator for each name: it begins with the same numbers every time.

Verdict: failed, assertion
"""

import math
import torch

def normal(shape, std):
    return torch.randn(shape, generator=torch.Generator()) * std


def uniform(shape, a):
    return (torch.rand(shape, generator=torch.Generator()) * 2 - 1) * a


def init_weights(shapes, n_layers, scheme):
    out = {}
    for name, shape in shapes.items():
        if name.endswith(".bias"):
            out[name] = torch.zeros(shape)
        elif name.endswith("norm.weight"):
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
