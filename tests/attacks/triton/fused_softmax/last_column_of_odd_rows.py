"""A row of odd length and odd index leaves out its last element.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, row_stride, col_stride, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=col < cols - (row * cols) % 2, other=-float("inf")).to(tl.float32)
    weight = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row * cols + col, weight / tl.sum(weight, axis=0), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.zeros((rows, cols), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
