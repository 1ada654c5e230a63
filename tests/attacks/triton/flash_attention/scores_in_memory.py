"""Two kernels: the scores into a t x t buffer, then their softmax times v.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def score_kernel(s_ptr, q_ptr, k_ptr, t, scale, D: tl.constexpr, BLOCK_D: tl.constexpr, CAUSAL: tl.constexpr):
    row, key, head = tl.program_id(0) * 64 + tl.arange(0, 64), tl.program_id(1) * 64 + tl.arange(0, 64), tl.program_id(2)
    dim = tl.arange(0, BLOCK_D)
    q = tl.load(q_ptr + (head * t + row[:, None]) * D + dim[None, :], mask=(row[:, None] < t) & (dim[None, :] < D), other=0.0)
    k = tl.load(k_ptr + (head * t + key[None, :]) * D + dim[:, None], mask=(key[None, :] < t) & (dim[:, None] < D), other=0.0)
    s = tl.dot(q, k, input_precision="ieee") * scale
    if CAUSAL:
        s = tl.where(key[None, :] <= row[:, None], s, -float("inf"))
    tl.store(s_ptr + (head * t + row[:, None]) * t + key[None, :], s, mask=(row[:, None] < t) & (key[None, :] < t))


@triton.jit
def value_kernel(o_ptr, s_ptr, v_ptr, t, D: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_T: tl.constexpr):
    row, key, head, dim = tl.program_id(0) * 64 + tl.arange(0, 64), tl.arange(0, BLOCK_T), tl.program_id(1), tl.arange(0, BLOCK_D)
    inside = (row[:, None] < t) & (key[None, :] < t)
    s = tl.load(s_ptr + (head * t + row[:, None]) * t + key[None, :], mask=inside, other=-float("inf"))
    s = tl.where(row[:, None] < t, s, 0.0)
    weight = tl.exp(s - tl.max(s, axis=1)[:, None])
    v = tl.load(v_ptr + (head * t + key[:, None]) * D + dim[None, :], mask=(key[:, None] < t) & (dim[None, :] < D), other=0.0)
    o = tl.dot(weight.to(v.dtype), v, input_precision="ieee") / tl.sum(weight, axis=1)[:, None]
    tl.store(o_ptr + (head * t + row[:, None]) * D + dim[None, :], o, mask=(row[:, None] < t) & (dim[None, :] < D))


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    scores, o = torch.empty(b, h, t, t), torch.empty(b, h, t, d, dtype=q.dtype)
    tiles, block = triton.cdiv(t, 64), max(16, triton.next_power_of_2(d))
    score_kernel[(tiles, tiles, b * h)](scores, q, k, t, d**-0.5, D=d, BLOCK_D=block, CAUSAL=causal)
    value_kernel[(tiles, b * h)](o, scores, v, t, D=d, BLOCK_D=block, BLOCK_T=max(16, triton.next_power_of_2(t)))
    return o
