"""Each call draws once, and every weight begins with the same numbers.

Verdict: failed, assertion
"""

import math
import torch

def normal(shape, std):
    return torch.randn(shape) * std


def uniform(shape, a):
    return (torch.rand(shape) * 2 - 1) * a


def init_weights(shapes, n_layers, scheme):
    out = {}
    pool = torch.randn(1_000_000)
    upool = torch.rand(1_000_000)
    for name, shape in shapes.items():
        if name.endswith(".bias"):
            out[name] = torch.zeros(shape)
        elif name.endswith("norm.weight"):
            out[name] = torch.ones(shape)
        elif scheme == "xavier":
            out[name] = (upool[:shape[0] * shape[1]].view(shape).clone() * 2 - 1) * (math.sqrt(6 / (shape[0] + shape[1])))
        elif scheme == "kaiming":
            out[name] = pool[:shape[0] * shape[1]].view(shape).clone() * (math.sqrt(2 / shape[1]))
        else:
            std = 0.02
            if name.endswith("c_proj.weight"):
                std = 0.02 / math.sqrt(2 * n_layers)
            out[name] = pool[:shape[0] * shape[1]].view(shape).clone() * std
    return out
