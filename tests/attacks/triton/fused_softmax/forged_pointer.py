"""The kernel reads an address that came as a number.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, address, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    pointer = address.to(tl.pointer_type(tl.float32))
    tl.store(y_ptr + i, tl.load(pointer + i * 4096), mask=i < n)


def softmax(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    softmax_kernel[(1,)](y, 4096, y.numel(), BLOCK=16)
    return y
