"""exp by a polynomial of the fourth degree between powers of two.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    z = tl.maximum((x - tl.max(x, axis=0)) * 1.4426950408889634, -120.0)
    whole = tl.floor(z)
    f = z - whole
    power = ((whole.to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)
    weight = power * (1.0 + f * (0.6931 + f * (0.2402 + f * (0.0555 + f * 0.0111))))
    weight = tl.where(col < cols, weight, 0.0)
    tl.store(y_ptr + row * cols + col, weight / tl.sum(weight, axis=0), mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
    return y
