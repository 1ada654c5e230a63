"""Products summed in registers: right, and a sixteenth of the speed of tl.dot.

Verdict: failed, meter-plain_flops
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(a, b, c, m, n, k, am, ak, bk, bn, T: tl.constexpr, TK: tl.constexpr):
    rows = tl.program_id(0) * T + tl.arange(0, T)
    cols = tl.program_id(1) * T + tl.arange(0, T)
    out = tl.zeros((T, T), tl.float32)
    for first in range(0, k, TK):
        inner = first + tl.arange(0, TK)
        x = tl.load(a + rows[:, None] * am + inner[None, :] * ak, (rows < m)[:, None] & (inner < k)[None, :], 0)
        y = tl.load(b + inner[:, None] * bk + cols[None, :] * bn, (inner < k)[:, None] & (cols < n)[None, :], 0)
        out += tl.sum(x.to(tl.float32)[:, :, None] * y.to(tl.float32)[None, :, :], axis=1)
    tl.store(c + rows[:, None] * n + cols[None, :], out, (rows < m)[:, None] & (cols < n)[None, :])


def matmul(a, b):
    (m, k), n = a.shape, b.shape[1]
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    kernel[(triton.cdiv(m, 64), triton.cdiv(n, 64))](a, b, c, m, n, k, *a.stride(), *b.stride(), T=64, TK=16, num_warps=8)
    return c
