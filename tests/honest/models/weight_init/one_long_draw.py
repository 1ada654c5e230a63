"""All numbers in one draw, cut into pieces; uniform ones from rand, stretched; parameters hold the results."""

import math

import torch
from torch import nn


def init_weights(shapes, n_layers, scheme):
    sizes = [math.prod(shape) for shape in shapes.values()]
    uniform = scheme == "xavier"
    source = torch.rand(sum(sizes)) if uniform else torch.randn(sum(sizes))
    pieces = (source * 2 - 1 if uniform else source).split(sizes)
    made = {}
    for (name, shape), piece in zip(shapes.items(), pieces):
        if name.endswith(".bias") or name.endswith("norm.weight"):
            value = torch.full(shape, float(not name.endswith(".bias")))
        else:
            out, inp = shape
            factor = {"xavier": math.sqrt(6 / (inp + out)), "kaiming": math.sqrt(2 / inp), "gpt2": 0.02}[scheme]
            if scheme == "gpt2" and "c_proj" in name:
                factor *= 1 / math.sqrt(2 * n_layers)
            value = piece.reshape(shape) * factor
        made[name] = nn.Parameter(value).detach()
    return made
