# CZ001 { forbid = ["torch.softmax", "torch.nn.functional.softmax", "torch.nn.Softmax", "torch.special.softmax"] }
# ruff: noqa
"""However a forbidden function is reached by name, it is found where it is mentioned."""

import math

import torch
import torch as t
import torch.nn as nn
import torch.nn.functional
import torch.nn.functional as F
import torch.nn.functional as softmax_home
from torch import nn as net
from torch import softmax  # CZ001: 19
from torch import exp, softmax as quick, tanh  # CZ001: 24
from torch.nn import Linear, Softmax  # CZ001: 30
from torch.nn import functional


def by_every_name(x):
    a = torch.softmax(x, -1)  # CZ001: 9
    a = t.softmax(x, -1)  # CZ001: 9
    a = F.softmax(x, -1)  # CZ001: 9
    a = nn.functional.softmax(x, -1)  # CZ001: 9
    a = torch.nn.functional.softmax(x, -1)  # CZ001: 9
    a = net.Softmax(-1)(x)  # CZ001: 9
    a = functional.softmax(x, -1)  # CZ001: 9
    a = softmax_home.softmax(x, -1)  # CZ001: 9
    a = softmax(x, -1)  # CZ001: 9
    a = quick(x, -1)  # CZ001: 9
    a = Softmax(-1)(x)  # CZ001: 9
    a = F.torch.softmax(x, -1)  # CZ001: 9
    return torch.special.softmax(x, -1) + a  # CZ001: 12


def without_a_call(x):
    rows = map(torch.softmax, x)  # CZ001: 16
    keep = [F.softmax]  # CZ001: 13
    return sorted(x, key=torch.softmax), rows  # CZ001: 26


@torch.softmax  # CZ001: 2
def as_a_decorator(x, use=torch.softmax):  # CZ001: 27
    return use(x, -1)  # CZ001: 12


class Reads(nn.Softmax):  # CZ001: 13
    pass


def by_alias(x):
    soft = torch.softmax  # CZ001: 12
    again = soft  # CZ001: 13
    once_more = again  # CZ001: 17
    return once_more(x, -1)  # CZ001: 12


def by_a_chain_of_modules(x):
    a = torch
    b = a.nn
    c = b.functional
    return c.softmax(x, -1)  # CZ001: 12


def from_below(x):
    return five.softmax(x, -1)  # CZ001: 12


five: object
four = three = 0


def further_below():
    global five, four, three
    five = four
    four = three
    three = two
    two = one
    one = torch


def by_annotated_assignment(x):
    home: object = torch
    return home.softmax(x, -1)  # CZ001: 12


def by_unpacking(x):
    a, (b, *c) = torch, (torch.nn, torch.special)
    a.softmax(x, -1), b.Softmax(-1)(x)  # CZ001: 5 CZ001: 23
    for module in c:
        module.softmax(x, -1)  # CZ001: 9
    first, *rest = [torch, math]
    return first.softmax(x, -1)  # CZ001: 12


def by_unpacking_a_rest(x):
    a, *b = math, torch, torch.special
    b[0].softmax(x, -1)  # CZ001: 5
    (c, d), e = torch.nn, math
    return c.Softmax(-1)  # CZ001: 12


def by_context(x, nullcontext):
    with nullcontext(torch) as home:
        return home.softmax(x, -1)  # CZ001: 16


def by_argument(given, *, named=None):
    return given.softmax(1), named.softmax(1)  # CZ001: 12 CZ001: 30


by_argument(torch, named=torch.special)


def gives():
    return torch.nn.functional


def by_result(x):
    return gives().softmax(x, -1)  # CZ001: 12


def by_walrus(x):
    if (home := torch) is not None:
        return home.softmax(x, -1)  # CZ001: 16
    return (w := torch).softmax(x, -1)  # CZ001: 12


def by_default(x, home=torch, *, other=torch.special):
    return home.softmax(x, -1), other.softmax(x, -1)  # CZ001: 12 CZ001: 33


by_lambda = lambda x, home=torch: home.softmax(x, -1)  # CZ001: 35


def by_loop(x):
    for home in (torch, math):
        home.softmax(x, -1)  # CZ001: 9
    return [h.softmax(x, -1) for h in [torch.special]]  # CZ001: 13


def by_container(x):
    homes = {"here": torch, "there": [torch.special]}
    homes["here"].softmax(x, -1)  # CZ001: 5
    return [torch][0].softmax(x, -1), (torch.nn,)[0].Softmax(-1)  # CZ001: 12 CZ001: 39


def by_choice(x, flag):
    home = torch if flag else math
    home.softmax(x, -1)  # CZ001: 5
    return (flag or torch).softmax(x, -1)  # CZ001: 12


def by_getattr(x):
    getattr(torch, "softmax")(x, -1)  # CZ001: 5
    getattr(torch.nn, "functional").softmax(x, -1)  # CZ001: 5
    getattr(getattr(torch, "nn"), "Softmax")  # CZ001: 5
    return getattr(torch, "softmax", None)  # CZ001: 12


class Holder:
    lib = torch
    nested, deep = torch.nn, 3
    typed: object = torch.special

    def __init__(self):
        self.home = torch.nn.functional

    def run(self, x):
        self.home.softmax(x, -1)  # CZ001: 9
        self.lib.softmax(x, -1)  # CZ001: 9
        self.nested.Softmax(-1)  # CZ001: 9
        return Holder.typed.softmax(x, -1)  # CZ001: 16


def in_a_wide_line(x):
    return "中文", torch.softmax(x, -1), "é", F.softmax(x, -1)  # CZ001: 18 CZ001: 45


def in_odd_places(x):
    assert torch.softmax  # CZ001: 12
    with torch.softmax(x, -1) as y:  # CZ001: 10
        del torch.softmax  # CZ001: 13
    torch.softmax = None  # CZ001: 5
    f"{torch.softmax(x, -1)}"  # CZ001: 8
    match x:
        case torch.softmax:  # CZ001: 14
            return torch.softmax.__call__(x, -1)  # CZ001: 20
