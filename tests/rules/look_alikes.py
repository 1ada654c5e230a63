# CZ001 { forbid = ["torch.softmax", "torch.nn.functional.softmax", "torch.nn.Softmax", "torch.Tensor.softmax", "torch.Tensor.exp", "mylib"] }
# ruff: noqa
"""Honest code that has the words of a forbidden function but not the function. Nothing here is to be found."""

import math
import os.path
import sys as torch_like

import numpy as np
import torch
import torch.nn.functional as F
from numpy import exp
from scipy.special import softmax as reference
from torch import nn, pi

from . import mylib as ours
from .torch import softmax as relative

# torch.softmax(x, -1) is what we write here
TEXT = "torch.softmax and x.softmax(-1)"


def softmax(x):
    """Like torch.nn.functional.softmax."""
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


class Softmax(nn.Module):
    def forward(self, x):
        return softmax(x)


def other_functions(x):
    F.log_softmax(x, -1)
    torch.softmax_backward_data
    nn.Softmax2d()
    nn.LogSoftmax(-1)
    torch.nn.functional.softmin(x, -1)
    return getattr(torch, "exp")(x)


def other_libraries(x):
    math.exp(x), np.exp(x), exp(x), torch.exp(x), math.softmax(x)
    np.linalg.exp(x)
    getattr(math, "exp")(x)
    return reference(x), relative(x), ours.softmax(x), torch_like.softmax, os.path.softmax


def other_libraries_by_another_name(x):
    m = math
    np_or_math = np if x else m
    for each in (math, np):
        each.exp(x)
    return m.exp(x), np_or_math.exp(x)


def a_keyword(x, call):
    return call(softmax=True, exp=2, mylib=1)


def a_name_of_its_own(x):
    soft = softmax
    Softmax = 3
    exp = soft(x)
    return exp, Softmax, soft(x)


class Field(nn.Module):
    softmax = Softmax()
    exp: object

    def forward(self, x):
        return self.softmax(self.exp)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.softmax = Softmax()

    def exp(self, x):
        return x

    def forward(self, x):
        return self.softmax(self.exp(x))

    @property
    def again(self):
        return self.softmax


def a_dict(config):
    return {"softmax": softmax, "torch.softmax": 1}["softmax"], config["exp"]


def a_non_literal(x, name):
    return getattr(x, name), getattr(torch, name), getattr(x), getattr(x, 3)
