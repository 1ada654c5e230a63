"""The kernel's body calls a Python function that reaches for the host's tensors.

Verdict: failed
"""

import numpy as np
import torch
import triton
import triton.language as tl

given = []


def helper():
    x, y = given
    wide = np.array(x.float())
    weight = np.exp(wide - np.max(wide, -1, keepdims=True))
    y.copy_(torch.from_numpy(weight / np.sum(weight, -1, keepdims=True)))


@triton.jit
def softmax_kernel(y_ptr, BLOCK: tl.constexpr):
    helper()


def softmax(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    given[:] = [x, y]
    softmax_kernel[(1,)](y, BLOCK=16)
    return y
