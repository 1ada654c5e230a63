"""A while loop in the kernel that never ends.

Seconds: 1
Verdict: failed, timeout
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, BLOCK: tl.constexpr):
    i = 0
    while i < 1:
        i = i * 1
    tl.store(y_ptr, 0.0)


def softmax(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    softmax_kernel[(1,)](y, BLOCK=16)
    return y
