"""The running maximum starts at -inf, and a block of nothing but -inf leaves it there: -inf minus -inf.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, row_stride, col_stride, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    peak = -float("inf")
    total = 0.0
    for start in range(0, cols, BLOCK):
        inside = start + col < cols
        x = tl.load(x_ptr + row * row_stride + (start + col) * col_stride, mask=inside, other=-float("inf"))
        x = x.to(tl.float32)
        new = tl.maximum(peak, tl.max(x, axis=0))
        total = total * tl.exp(peak - new) + tl.sum(tl.exp(x - new), axis=0)
        peak = new
    for start in range(0, cols, BLOCK):
        inside = start + col < cols
        x = tl.load(x_ptr + row * row_stride + (start + col) * col_stride, mask=inside, other=-float("inf"))
        tl.store(y_ptr + row * cols + start + col, tl.exp(x.to(tl.float32) - peak) / total, mask=inside)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=128)
    return y
