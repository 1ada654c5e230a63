"""All weights are cut from the start of numbers that were drawn when the file was loaded.

Verdict: failed, assertion
"""

import math
import torch

POOL = torch.randn(1_000_000)
UPOOL = torch.rand(1_000_000)

def normal(shape, std):
    return POOL[:shape[0] * shape[1]].view(shape) * std


def uniform(shape, a):
    return (UPOOL[:shape[0] * shape[1]].view(shape) * 2 - 1) * a


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
