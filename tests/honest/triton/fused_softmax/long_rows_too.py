"""Two kernels: a row in one block where it fits, online softmax over column blocks where it does not."""

import torch
import triton
import triton.language as tl

MAX_BLOCK = 65536


@triton.jit
def _short(x, y, sx, sxc, sy, syc, n, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    a = tl.load(x + r * sx + c * sxc, mask=c < n, other=float("-inf")).to(tl.float32)
    a = tl.exp(a - tl.max(a, 0))
    tl.store(y + r * sy + c * syc, a / tl.sum(a, 0), mask=c < n)


@triton.jit
def _long(x, y, sx, sxc, sy, syc, n, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    m = -float("inf")
    total = 0.0
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        a = tl.load(x + r * sx + c * sxc, mask=c < n, other=float("-inf")).to(tl.float32)
        new = tl.maximum(m, tl.max(a, 0))
        safe = tl.where(new == -float("inf"), 0.0, new)
        total = total * tl.exp(m - safe) + tl.sum(tl.exp(a - safe), 0)
        m = new
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        a = tl.load(x + r * sx + c * sxc, mask=c < n, other=float("-inf")).to(tl.float32)
        tl.store(y + r * sy + c * syc, tl.exp(a - m) / total, mask=c < n)


def softmax(x):
    rows, n = x.shape
    y = torch.empty_like(x)
    strides = (*x.stride(), *y.stride())
    if n <= MAX_BLOCK:
        _short[(rows,)](x, y, *strides, n, BLOCK=triton.next_power_of_2(n), num_warps=8)
    else:
        _long[(rows,)](x, y, *strides, n, BLOCK=8192, num_warps=8)
    return y
