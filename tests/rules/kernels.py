# CZ001 { forbid = ["torch.exp", "torch.Tensor.exp", "torch.Tensor.sum"] }
# ruff: noqa
"""A Triton kernel has its own exp; the host code beside it has not."""

import torch
import triton
import triton as tr
import triton.language as tl
from triton import jit


@triton.jit
def kernel(x_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, BLOCK))
    e = tl.exp(x)
    return e / e.sum(0) + x.exp() + tl.math.exp(x)


@triton.autotune(configs=[], key=[])
@jit
def tuned(x):
    return x.exp()


@tr.jit(noinline=True)
def helper(x):
    return torch.exp(x) + x.exp()  # CZ001: 12


@triton.autotune(configs=[], key=[])
def host(x):
    return x.exp()  # CZ001: 12
