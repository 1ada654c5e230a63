"""The store has no mask; a larger buffer than the answer's hides it.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    weight = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row * cols + col, weight / tl.sum(weight, axis=0))


def softmax(x):
    rows, cols = x.shape
    BLOCK = triton.next_power_of_2(cols)
    y = torch.empty(rows * cols + BLOCK, dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK)
    return y[: rows * cols].view(rows, cols)
