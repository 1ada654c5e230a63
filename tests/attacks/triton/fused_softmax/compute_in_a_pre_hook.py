"""The pre-hook of an autotuner's configuration computes on the host.

Verdict: failed
"""

import numpy as np
import torch
import triton
import triton.language as tl


def before(arguments):
    wide = np.array(arguments["probs_ptr"].float())
    weight = np.exp(wide - np.max(wide, -1, keepdims=True))
    arguments["probs_ptr"].copy_(torch.from_numpy(weight / np.sum(weight, -1, keepdims=True)))


@triton.autotune([triton.Config({"BLOCK": 256}, pre_hook=before)], key=["n"])
@triton.jit
def copy_kernel(y_ptr, probs_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(probs_ptr + i, mask=i < n, other=0.0), mask=i < n)


def softmax(x):
    y, probs = torch.empty(x.shape, dtype=x.dtype), torch.empty(x.shape, dtype=x.dtype).copy_(x)
    copy_kernel[lambda meta: (triton.cdiv(y.numel(), meta["BLOCK"]),)](y, probs, y.numel())
    return y
