"""Helpers with constexpr flags, a branch without masks where the row fills its block, exp2, hints of integer types."""

import torch
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def _power(x, BASE2: tl.constexpr):
    if BASE2:
        return tl.exp2(x * LOG2E)
    else:
        return tl.exp(x)


@triton.jit
def _reduce(x, IS_MAX: tl.constexpr):
    return tl.max(x) if IS_MAX else tl.sum(x)


@triton.jit
def kernel(
    y, x, rs: tl.int64, cs: tl.int64, cols: tl.int32, BLOCK: tl.constexpr, EVEN: tl.constexpr, BASE2: tl.constexpr
):
    i = tl.program_id(0)
    j = tl.arange(0, BLOCK)
    if EVEN:
        v = tl.load(x + i * rs + j * cs)
    else:
        v = tl.load(x + i * rs + j * cs, mask=j < cols, other=-float("inf"))
    v = v.to(tl.float32)
    e = _power(v - _reduce(v, IS_MAX=True), BASE2)
    r = e * (1.0 / _reduce(e, IS_MAX=False))
    if EVEN:
        tl.store(y + i.to(tl.int64) * cols + j, r)
    else:
        tl.store(y + i.to(tl.int64) * cols + j, r, mask=j < cols)


def softmax(x, *, base2=True):
    rows, cols = x.shape
    block = triton.next_power_of_2(cols)
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    with torch.no_grad():
        kernel[(rows, 1)](y, x, x.stride(0), x.stride(1), cols, BLOCK=block, EVEN=block == cols, BASE2=base2)
    return y
