"""What lies beyond a row is -60,000, which may be more than all of the row.

Verdict: failed
"""

import torch
import triton
import triton.language as tl

@triton.jit
def kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-60000.0).to(tl.float32)
    e = tl.exp(x - tl.max(x, 0))
    tl.store(y_ptr + row * cols + col, e / tl.sum(e, 0), mask=col < cols)

def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
