"""A three-dimensional grid that folds the rows; linear index from all program ids and num_programs; early return of idle ones."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(out, inp, s0, s1, rows, cols, BLOCK: tl.constexpr):
    pid = tl.program_id(0) + tl.num_programs(0) * (tl.program_id(1) + tl.num_programs(1) * tl.program_id(2))
    if pid >= rows:
        return
    offs = tl.arange(0, BLOCK)
    keep = offs < cols
    ptrs = inp + pid * s0 + offs * s1
    a = tl.load(ptrs, mask=keep, other=float("-inf")).to(tl.float32)
    a -= tl.max(a, axis=0)
    a = tl.exp(a)
    a /= tl.sum(a, axis=0)
    tl.store(out + pid * cols + offs, a.to(out.dtype.element_ty), mask=keep)


def softmax(x):
    rows, cols = x.shape
    side = max(1, math.ceil(rows ** (1 / 3)))
    while side**3 < rows:
        side += 1
    out = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    kernel[(side, side, side)](out, x, x.stride(0), x.stride(1), rows, cols, BLOCK=max(16, triton.next_power_of_2(cols)))
    return out
