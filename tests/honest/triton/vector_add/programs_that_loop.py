"""A few programs take block after block in strides of the whole grid; the sum is taken in float32."""

import torch
import triton
import triton.language as tl


@triton.jit
def add_blocks(z, x, y, n, BLOCK: tl.constexpr):
    step = tl.num_programs(0) * BLOCK
    for start in tl.range(tl.program_id(0) * BLOCK, n, step, num_stages=2):
        at = start + tl.arange(0, BLOCK)
        a = tl.load(x + at, at < n, 0.0).to(tl.float32)
        b = tl.load(y + at, at < n, 0.0).to(tl.float32)
        tl.store(z + at, (a + b).to(z.dtype.element_ty), at < n)


def add(x, y):
    z = x.new_empty(x.shape)
    n = z.numel()
    add_blocks[(min(triton.cdiv(n, 512), 8),)](z, x.contiguous(), y.contiguous(), n, BLOCK=512)
    return z
