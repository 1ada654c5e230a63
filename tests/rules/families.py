# CZ001 { forbid = ["torch.softmax", "torch.nn.functional.softmax", "torch.nn.Softmax", "torch.Tensor.softmax"] }
# ruff: noqa
"""Ways to hand a library from one name to another, one a function; names.py has the plain ones."""

import collections
import enum
import math
from contextlib import nullcontext

import einops
import torch
import torch.nn.functional as F

try:
    import torch.special as special
except ImportError:
    special = None

if math.pi > 3:
    from torch import softmax as conditional  # CZ001: 23


def by_match(x):
    match torch:
        case lib:
            lib.softmax(x, -1)  # CZ001: 13
    match (math, F):
        case (_, second):
            second.softmax(x, -1)  # CZ001: 13
        case [*rest]:
            rest[0].softmax(x, -1)  # CZ001: 13
        case {"lib": inner, **others}:
            inner.softmax(x, -1), others["a"].softmax(-1)  # CZ001: 13 CZ001: 35


def by_comprehension(x):
    [lib for lib in (torch, math)][0].softmax(x, -1)  # CZ001: 5
    {name: lib for name, lib in {"a": torch}.items()}["a"].softmax(x, -1)  # CZ001: 5
    next(lib for lib in [torch]).softmax(x, -1)  # CZ001: 5
    return [lib.softmax(x, -1) for lib in [torch]]  # CZ001: 13


def by_table(x):
    table = {"softmax": F.softmax, "exp": torch.exp}  # CZ001: 25
    for name, function in table.items():  # CZ001: 27
        function(x, -1)  # CZ001: 9
    return table.get("softmax")(x, -1)  # CZ001: 12


def by_container(x):
    ([math] + [torch])[1].softmax(x, -1)  # CZ001: 5
    list((torch,))[0].softmax(x, -1), dict(lib=torch)["lib"].softmax(x, -1)  # CZ001: 5 CZ001: 39
    for _, lib in enumerate([torch]):
        lib.softmax(x, -1)  # CZ001: 9
    for _, lib in zip("a", [torch]):
        lib.softmax(x, -1)  # CZ001: 9
    stack = [torch]
    return stack.pop().softmax(x, -1)  # CZ001: 12


def by_lambda(x):
    give = lambda: torch
    give().softmax(x, -1), (lambda: torch)().softmax(x, -1)  # CZ001: 5 CZ001: 28
    run = lambda lib, y: lib.softmax(y, -1)  # CZ001: 26
    return run(torch, x), (lambda lib: lib.softmax(x, -1))(torch)  # CZ001: 40


def by_return_of_more(x):
    def pair():
        return torch, math

    first, second = pair()
    return first.softmax(x, -1)  # CZ001: 12


def by_generator(x):
    def libraries():
        yield torch

    for lib in libraries():
        lib.softmax(x, -1)  # CZ001: 9


def by_rest(*libs, **named):
    return libs[0].softmax(1), named["lib"].softmax(1)  # CZ001: 12 CZ001: 32


by_rest(torch, lib=torch)
by_rest(*[torch])


class Holder:
    def __init__(self, lib):
        self.lib = lib

    @property
    def home(self):
        return F

    def get(self):
        return torch

    def apply(self, lib, x):
        lib.softmax(x, -1)  # CZ001: 9
        self.lib.softmax(x, -1)  # CZ001: 9
        return self.home.softmax(x, -1), self.get().softmax(x, -1)  # CZ001: 16 CZ001: 42


Holder(torch).apply(torch, 1)


def by_sibling_modules(x):
    torch.nn.modules.activation.F.softmax(x, -1)  # CZ001: 5
    torch.nn.modules.Softmax(-1)(x)  # CZ001: 5
    return torch.nn.modules.activation.Softmax(-1)(x)  # CZ001: 12


def by_item(x):
    by_key, stack = {}, []
    by_key["lib"] = torch
    stack += [torch]
    (*rest,) = (torch,)
    by_key["lib"].softmax(x, -1), stack[0].softmax(x, -1)  # CZ001: 5 CZ001: 35
    return rest[0].softmax(x, -1)  # CZ001: 12


class Libraries(enum.Enum):
    TORCH = torch


def by_enumeration(x):
    return Libraries.TORCH.value.softmax(x, -1)  # CZ001: 12


def by_another_library(x):
    return einops.layers.torch.torch.softmax(x, -1)  # CZ001: 12


def by_a_wide_name(x):
    return torch.ｓｏｆｔｍａｘ(x, -1)  # CZ001: 12


def a_value_or_a_number(x, flag):
    y = x if flag else torch.inf
    y.softmax(-1)  # CZ001: 5
    return (x if flag else torch.inf).softmax(-1)  # CZ001: 12
