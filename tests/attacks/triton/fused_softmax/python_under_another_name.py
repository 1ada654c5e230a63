"""In the kernel a module of the language gets another name, under which it leads to Python's own modules.

Verdict: failed, alone
"""

import torch
import triton
import triton.language as tl

@triton.jit
def kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    core = tl.core
    types = core.typing
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    scale = types.cast(int, 1)
    e = tl.exp(x - tl.max(x, 0))
    tl.store(y_ptr + row * cols + col, scale * e / tl.sum(e, 0), mask=col < cols)

def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
