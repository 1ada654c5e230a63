"""z starts as a copy of x, and the kernel adds y to it in place: x travels three times.

Verdict: failed, meter-loads
"""

import triton
import triton.language as tl


@triton.jit
def add_to_kernel(z_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    z = tl.load(z_ptr + i, mask=i < n) + tl.load(y_ptr + i, mask=i < n)
    tl.store(z_ptr + i, z, mask=i < n)


def add(x, y):
    z = x.clone().contiguous()
    add_to_kernel[(triton.cdiv(z.numel(), 1024),)](z, y.contiguous(), z.numel(), BLOCK=1024)
    return z
