"""A grid of a thousand billion programs.

Seconds: 1
Verdict: failed, timeout
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(y_ptr, BLOCK: tl.constexpr):
    tl.store(y_ptr, 0.0)


def softmax(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    softmax_kernel[(1 << 31, 65535, 65535)](y, BLOCK=16)
    return y
