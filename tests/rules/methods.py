# CZ001 { forbid = ["torch.Tensor.softmax", "torch.Tensor.exp"] }
# ruff: noqa
"""A method of tensors is forbidden by its name, on whatever may be a tensor."""

import math

import torch
from torch import Tensor
from torch import nn


def on_values(x, scores):
    x.softmax(-1)  # CZ001: 5
    (x @ x).softmax(-1)  # CZ001: 5
    torch.zeros(3).softmax(-1)  # CZ001: 5
    x.mT.float().exp()  # CZ001: 5
    scores[0].softmax(-1)  # CZ001: 5
    x.softmax  # CZ001: 5
    map(x.softmax, [-1])  # CZ001: 9
    return [row.exp() for row in x]  # CZ001: 13


def through_the_class(x):
    Tensor.softmax(x, -1)  # CZ001: 5
    torch.Tensor.softmax(x, -1)  # CZ001: 5
    return getattr(torch.Tensor, "exp")(x)  # CZ001: 12


def through_getattr(x):
    getattr(x, "softmax")(-1)  # CZ001: 5
    return getattr(x * 2, "exp", None)  # CZ001: 12


def through_a_name_that_is_a_module_elsewhere(math, x):
    math.exp()  # CZ001: 5
    lib = x
    lib = torch
    return lib.softmax(-1)  # CZ001: 12


class Mine(Tensor):
    def run(self):
        return self.softmax(-1)  # CZ001: 16


class Other(nn.Module):
    def __init__(self):
        self.softmax = nn.Identity()

    def forward(self, x):
        x.softmax(-1)  # CZ001: 9
        self.x.softmax(-1)  # CZ001: 9
        return self.softmax(x)

    @staticmethod
    def helper(x):
        return x.softmax(-1)  # CZ001: 16


def self_outside_a_class(self):
    return self.softmax(-1)  # CZ001: 12
