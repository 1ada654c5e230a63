"""The kernel computes the exponentials, the host divides in place by their norm.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    tl.store(y_ptr + row * cols + col, tl.exp(x - tl.max(x, axis=0)), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    weight = torch.empty((rows, cols))
    softmax_kernel[(rows,)](weight, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return torch.nn.functional.normalize(weight, p=1, dim=-1).to(x.dtype)
