# CZ102 {}
# ruff: noqa
"""A library's attributes are its own, however it is reached; a local variable of the same name is no library."""

import numpy as np
import torch
from torch.nn import functional as F


def unused(torch):
    return torch


torch.equal = None  # CZ102: 1
F.softmax = None  # CZ102: 1
torch.Tensor.sum = None  # CZ102: 1
torch.nn.Module.__call__ = None  # CZ102: 1
setattr(torch, "equal", None)  # CZ102: 1
del torch.equal  # CZ102: 5
[torch][0].equal = None  # CZ102: 1
(torch if F else None).equal = None  # CZ102: 1
for torch.equal in [None]:  # CZ102: 5
    pass
torch.equal, x = None, 1  # CZ102: 1
torch.equal += 1  # CZ102: 1
torch.backends.cudnn.deterministic = True
np.random.seed = None


def handed(lib):
    lib.equal = None  # CZ102: 5


handed(torch)


def by_default(lib=torch):
    lib.equal = None  # CZ102: 5


def inside():
    lib = torch
    lib.equal = None  # CZ102: 5

    def deeper():
        lib.equal = None  # CZ102: 9


class Holder:
    lib = torch

    def change(self):
        self.lib.equal = None  # CZ102: 9


def by_global(torch):
    def inner():
        global np
        np.pi = 3  # CZ102: 9

    return inner


def a_parameter(np):
    def inner():
        global np
        np.pi = 3  # CZ102: 9


# Nothing from here on


def a_parameter_of_that_name(torch, F):
    torch.equal = F.count = 1
    torch.parts[0].x = 2


def a_variable_of_that_name(make):
    torch = make()
    torch.equal = 1
    return [torch for torch in make()]


def own_attributes(x, ctx):
    ctx.scale = torch.pi
    x.grad = None
    x.data.requires_grad = False


def numbers(scores, mask):
    scores[mask] = torch.inf
    scores += torch.pi
    scores.requires_grad = True


class Config:
    dtype = torch.float32
    activation = F.gelu

    def __init__(self):
        self.dtype = torch.float16
        self.norm = torch.nn.LayerNorm(3)
        self.norm.eps = 1e-6
        self.norm.weight.data = torch.ones(3)


Config.dtype = torch.bfloat16
