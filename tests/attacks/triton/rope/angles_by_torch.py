"""The rotation by torch on the host, copied by a kernel.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(y_ptr, x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n, other=0.0), mask=i < n)


def turned(x, cos, sin):
    low, high = x.float().split(x.shape[-1] // 2, -1)
    half = low.shape[-1]
    y = torch.empty(x.shape, dtype=x.dtype)
    y[..., :half] = low * cos[:, :half] - high * sin[:, :half]
    y[..., half:] = high * cos[:, half:] + low * sin[:, half:]
    copied = torch.empty_like(y)
    copy_kernel[(triton.cdiv(y.numel(), 1024),)](copied, y, y.numel(), BLOCK=1024)
    return copied


def rope(q, k, cos, sin):
    return turned(q, cos, sin), turned(k, cos, sin)
