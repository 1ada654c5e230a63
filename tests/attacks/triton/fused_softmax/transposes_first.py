"""The host lays x out by columns and the answer by rows again, a read and a write of everything each time.

Verdict: failed, meter-loads
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, row_stride, col_stride, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=col < cols, other=-float("inf")).to(tl.float32)
    weight = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row + col * tl.num_programs(0), weight / tl.sum(weight, axis=0), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    x = x.T.contiguous()
    y = torch.empty((cols, rows), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, 1, rows, cols, BLOCK=triton.next_power_of_2(cols))
    return y.T.contiguous()
