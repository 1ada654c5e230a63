"""The kernel reads the row twice, once for the maximum and once for the rest.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    top = tl.max(x, axis=0)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    weight = tl.exp(x - top)
    tl.store(y_ptr + row * cols + col, weight / tl.sum(weight, axis=0), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
