"""The second half of the programs uses what the first half left in memory, as if they ran in order.

Verdict: failed
"""

import torch
import triton
import triton.language as tl

@triton.jit
def kernel(y_ptr, x_ptr, sum_ptr, rs, cs, rows, cols, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    row = pid % rows
    col = tl.arange(0, BLOCK)
    inside = col < cols
    if pid < rows:
        x = tl.load(x_ptr + row * rs + col * cs, mask=inside, other=-float("inf")).to(tl.float32)
        m = tl.max(x, 0)
        tl.store(sum_ptr + 2 * row, m)
        tl.store(sum_ptr + 2 * row + 1, tl.sum(tl.exp(x - m), 0))
    else:
        x = tl.load(x_ptr + row * rs + col * cs, mask=inside, other=-float("inf")).to(tl.float32)
        e = tl.exp(x - tl.load(sum_ptr + 2 * row)) / tl.load(sum_ptr + 2 * row + 1)
        tl.store(y_ptr + row * cols + col, e, mask=inside)

def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    s = torch.empty(2 * rows, dtype=torch.float32)
    kernel[(2 * rows,)](y, x, s, x.stride(0), x.stride(1), rows, cols, BLOCK=triton.next_power_of_2(cols))
    return y
