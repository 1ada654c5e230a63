"""The exponential is written in PTX.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    z = (x - tl.max(x, axis=0)) * 1.4426950408889634
    weight = tl.inline_asm_elementwise("ex2.approx.f32 $0, $1;", "=f,f", [z], dtype=tl.float32, is_pure=True, pack=1)
    tl.store(y_ptr + row * cols + col, weight / tl.sum(weight, axis=0), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
