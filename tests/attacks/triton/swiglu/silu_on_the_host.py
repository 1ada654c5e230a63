"""The host computes silu under another name, and the kernel multiplies.

Verdict: failed, CZ001
"""

import torch
import triton
import triton.language as tl
from torch.nn import functional

activation = functional.silu


@triton.jit
def product_kernel(y, a, b, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    keep = at < n
    tl.store(y + at, tl.load(a + at, mask=keep).to(tl.float32) * tl.load(b + at, mask=keep).to(tl.float32), mask=keep)


def product(a, b):
    y = torch.empty(a.shape, dtype=a.dtype)
    product_kernel[(triton.cdiv(y.numel(), 1024),)](y, a.contiguous(), b.contiguous(), y.numel(), BLOCK=1024)
    return y


def swiglu(gate, up):
    return product(activation(gate), up)


def swiglu_backward(dy, gate, up):
    return product(dy, up), product(dy, activation(gate))
