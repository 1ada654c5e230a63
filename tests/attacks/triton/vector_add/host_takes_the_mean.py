"""The host takes the mean, by a function that nobody listed, and the kernel doubles it.

Verdict: failed, host
"""

import torch
import triton
import triton.language as tl


@triton.jit
def double_kernel(z_ptr, s_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z_ptr + i, 2 * tl.load(s_ptr + i, mask=i < n), mask=i < n)


def add(x, y):
    s = torch.lerp(x, y, 0.5).contiguous()
    z = torch.empty(x.shape, dtype=x.dtype)
    double_kernel[(triton.cdiv(z.numel(), 1024),)](z, s, z.numel(), BLOCK=1024)
    return z
