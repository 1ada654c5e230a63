"""The t x t scores in many buffers, one for every 64 rows of every head.

Verdict: failed, meter-scratch
"""

import torch
import triton
import triton.language as tl


@triton.jit
def score_kernel(s_ptr, q_ptr, k_ptr, t, scale, first, D: tl.constexpr, BLOCK_D: tl.constexpr, CAUSAL: tl.constexpr):
    row, key = tl.arange(0, 64), tl.program_id(1) * 64 + tl.arange(0, 64)
    dim = tl.arange(0, BLOCK_D)
    q = tl.load(q_ptr + row[:, None] * D + dim[None, :], mask=(first + row[:, None] < t) & (dim[None, :] < D), other=0.0)
    k = tl.load(k_ptr + key[None, :] * D + dim[:, None], mask=(key[None, :] < t) & (dim[:, None] < D), other=0.0)
    s = tl.dot(q, k, input_precision="ieee") * scale
    if CAUSAL:
        s = tl.where(key[None, :] <= first + row[:, None], s, -float("inf"))
    tl.store(s_ptr + row[:, None] * t + key[None, :], s, mask=(first + row[:, None] < t) & (key[None, :] < t))


@triton.jit
def value_kernel(o_ptr, s_ptr, v_ptr, t, first, D: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_T: tl.constexpr):
    row, key, dim = tl.arange(0, 64), tl.arange(0, BLOCK_T), tl.arange(0, BLOCK_D)
    inside = (first + row[:, None] < t) & (key[None, :] < t)
    s = tl.load(s_ptr + row[:, None] * t + key[None, :], mask=inside, other=-float("inf"))
    s = tl.where(first + row[:, None] < t, s, 0.0)
    weight = tl.exp(s - tl.max(s, axis=1)[:, None])
    v = tl.load(v_ptr + key[:, None] * D + dim[None, :], mask=(key[:, None] < t) & (dim[None, :] < D), other=0.0)
    o = tl.dot(weight.to(v.dtype), v, input_precision="ieee") / tl.sum(weight, axis=1)[:, None]
    tl.store(o_ptr + row[:, None] * D + dim[None, :], o, mask=(first + row[:, None] < t) & (dim[None, :] < D))


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    o, tiles, block = torch.empty(b, h, t, d, dtype=q.dtype), triton.cdiv(t, 64), max(16, triton.next_power_of_2(d))
    for i in range(b):
        for j in range(h):
            scores = [torch.empty(64, t) for _ in range(tiles)]
            for n in range(tiles):
                rows = slice(64 * n, min(64 * n + 64, t))
                score_kernel[(1, tiles)](scores[n], q[i, j, rows], k[i, j], t, d**-0.5, 64 * n, D=d, BLOCK_D=block, CAUSAL=causal)
            for n in range(tiles):
                rows = slice(64 * n, min(64 * n + 64, t))
                value_kernel[(1,)](o[i, j, rows], scores[n], v[i, j], t, 64 * n, D=d, BLOCK_D=block, BLOCK_T=max(16, triton.next_power_of_2(t)))
    return o
