# CZ202 { kernel = true }
# ruff: noqa
"""What a kernel's body may use. The host code beside it is nobody's business here."""

import math
from collections import namedtuple

import numpy as np
import torch
import triton
import triton.language as tl
from triton.language import exp as power
from triton.language.extra import libdevice
from triton.language.extra.cuda import libdevice as cuda

HALF = tl.constexpr(0.5)


@triton.jit
def inner(x):
    return x * 2


@triton.jit
def combine(a, b):
    return a + b


@triton.constexpr_function
def log2(n):
    return n.bit_length() - 1


alias = inner


def host(x):
    return np.exp(torch.exp(x))


square = lambda x: x * x


class Tools:
    @staticmethod
    @triton.jit
    def twice(x):
        return x + x

    @staticmethod
    def python(x):
        return x


@triton.jit
def honest(x_ptr, y_ptr, n, ACT: tl.constexpr, FN: tl.constexpr, BLOCK: tl.constexpr):
    """Words."""
    tl.static_assert(BLOCK % 16 == 0)
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=-float("inf"))
    y: tl.tensor = inner(x) + alias(x) + Tools.twice(x) + power(x) + libdevice.exp(x) + cuda.exp(x) + FN(x)
    f = tl.exp if ACT == "exp" else tl.sigmoid
    y += f(y) * math.sqrt(BLOCK) * math.pi + HALF + log2(BLOCK)
    y = y.exp().trans().sum(0).to(y_ptr.dtype.element_ty) + tl.reduce(y, 0, combine) + tl.math.exp2(y)
    for j in tl.range(0, tl.cdiv(n, BLOCK), num_stages=2):
        for k in tl.static_range(4):
            for l in range(min(j, k), max(j, k)):
                y += int(len((1, 2)) + l)
    if x.dtype.is_fp16():
        print("x", x), tl.device_print("x", x)
    a, b = tl.split(y)
    acc = tl.zeros((triton.next_power_of_2(BLOCK),), tl.float32) + a.max(axis=0) + getattr(tl, "exp")(b)
    tl.store(y_ptr + i, acc, mask=i < n)


honest[(1,)](1, 2, 3, ACT="exp", FN=inner, BLOCK=16)


@triton.jit
def hostile(x_ptr, RUN: tl.constexpr, OBJECT):
    host(x_ptr)  # CZ202: 5
    square(x_ptr)  # CZ202: 5
    torch.exp(x_ptr)  # CZ202: 5
    np.exp(x_ptr)  # CZ202: 5
    x_ptr.numpy()  # CZ202: 5
    x_ptr.copy_(x_ptr)  # CZ202: 5
    OBJECT.run(x_ptr)  # CZ202: 5
    RUN(x_ptr)  # CZ202: 5
    Tools.python(x_ptr)  # CZ202: 5
    tl.reduce(x_ptr, 0, host)  # CZ202: 25
    tl.map_elementwise(lambda x: x, x_ptr)  # CZ202: 24
    open("f")  # CZ202: 5
    sum(x_ptr)  # CZ202: 5
    [inner][0](x_ptr)  # CZ202: 5
    later = host  # CZ202: 13
    later(x_ptr)  # CZ202: 5
    getattr(torch, "exp")(x_ptr)  # CZ202: 5


hostile[(1,)](1, RUN=host, OBJECT=2)  # CZ202: 22
hostile[lambda meta: (1,)](1, RUN=lambda x: x)  # CZ202: 35


@triton.runtime.jit
def defaults(x_ptr, ACT: tl.constexpr = torch.exp):
    ACT(x_ptr)  # CZ202: 5


def wrapped(function):
    return triton.jit(function)


@wrapped
def by_a_decorator_of_its_own(x_ptr):
    torch.exp(x_ptr)  # CZ202: 5


def by_a_loop(x_ptr):
    torch.exp(x_ptr)  # CZ202: 5


def tuned(x_ptr, EVEN: tl.constexpr):
    tl.store(x_ptr, EVEN)


def is_even(n):
    return np.mod(n, 2) == 0


tuned = triton.jit(tuned)
tuned = triton.heuristics({"EVEN": lambda args: is_even(args["n"])})(tuned)


def swapped(x_ptr):
    tl.store(x_ptr, 1)


swapped = honest or (lambda table: lambda x: x)(swapped)
swapped = triton.jit(swapped)  # CZ202: 11
made = [triton.jit(each) for each in (by_a_loop,)]
nameless = triton.jit(lambda x: x)  # CZ202: 12
honest.fn = host  # CZ202: 1

ACTIVATIONS = {"inner": inner, "twice": Tools.twice}
MIXED = {"inner": inner, "host": host}


@triton.jit
def chosen(x_ptr, ACT: tl.constexpr, BAD: tl.constexpr, NONE: tl.constexpr):
    x = ACT(tl.load(x_ptr))
    BAD(x)  # CZ202: 5
    NONE(x)  # CZ202: 5


def chooses(x, name, act):
    chosen[(1,)](x, ACT=ACTIVATIONS[name], BAD=MIXED[name], NONE=1)
    chosen[(1,)](x, ACT=act, BAD=inner, NONE=2)


chooses(1, "inner", act=inner)


class Softmax(torch.autograd.Function):
    @staticmethod
    def backward(ctx, x):
        return x


def launches(x, backward=False, host=True):
    hostile[(1,)](x, RUN=inner, BACKWARD=backward, OBJECT=host)
    grid = lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)
    hostile[grid](x, RUN=inner, OBJECT=torch.empty_like(x).copy_(x))
    return Softmax.apply(x)
