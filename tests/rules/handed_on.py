# CZ101 {}
# ruff: noqa
"""A whole library in the hands of a function that is not here; of one that is here, the name is followed."""

import functools
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

box = []
box.append(torch)  # CZ101: 12
SimpleNamespace(lib=torch)  # CZ101: 21
functools.partial(max, F)  # CZ101: 24
map(lambda lib: lib.exp, [torch, np])  # CZ101: 26
functools.reduce(lambda a, b: a, [1], torch.nn)  # CZ101: 39
setattr(box, "lib", torch)  # CZ101: 21


type("Holder", (), {"lib": torch})  # CZ101: 20
max([torch], key=lambda lib: lib.exp)  # CZ101: 5


class Carrier(Exception):
    pass


class Gives:
    def __getitem__(self, index):
        return torch  # CZ101: 16

    def __call__(self):
        return [F, 1]  # CZ101: 16


raise Carrier(torch)  # CZ101: 15


class Named:
    def sort(self, lib):
        return lib


# a name of ours is followed: nothing from here on


def own(x, xp=torch):
    return xp.exp(x)


own(1, np), own(1, xp=torch), Named().sort(torch)
print(torch), hasattr(torch, "float8_e4m3fn"), isinstance(torch, type), getattr(F, "gelu"), type(torch)
with nullcontext(torch) as lib:
    lib.exp
functools.partial(torch.nn.LayerNorm, eps=1e-6), torch.tensor([1.0], dtype=torch.float32)
functools.reduce(torch.add, [1, 2]), list(map(torch.exp, box)), box.append(F.gelu), box.append(torch.float16)


def a_parameter_of_that_name(F, make):
    return make(F)
