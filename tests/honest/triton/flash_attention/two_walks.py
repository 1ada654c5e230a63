"""Two walks over the keys: the maximum and the sum of every row first, then the weighted values."""

import torch
import triton
import triton.language as tl


@triton.jit
def scores_of(q, k_ptr, k_t, k_d, j, i, c, t, d, scale, CAUSAL: tl.constexpr):
    k = tl.load(k_ptr + j[None, :] * k_t + c[:, None] * k_d, mask=(j[None, :] < t) & (c[:, None] < d), other=0.0)
    s = tl.dot(q, k, input_precision="ieee") * scale
    seen = j[None, :] < t
    if CAUSAL:
        seen = seen & (j[None, :] <= i[:, None])
    return tl.where(seen, s, float("-inf"))


@triton.jit
def forward(
    q_ptr, k_ptr, v_ptr, o_ptr, q_b, q_h, q_t, q_d, k_b, k_h, k_t, k_d, v_b, v_h, v_t, v_d, H, t, d, scale,
    CAUSAL: tl.constexpr, M: tl.constexpr, N: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    b, h = tl.program_id(1) // H, tl.program_id(1) % H
    i = tl.program_id(0) * M + tl.arange(0, M)
    c = tl.arange(0, D)
    inside = (i[:, None] < t) & (c[None, :] < d)
    q = tl.load(q_ptr + b * q_b + h * q_h + i[:, None] * q_t + c[None, :] * q_d, mask=inside, other=0.0)
    k_ptr += b * k_b + h * k_h
    v_ptr += b * v_b + h * v_h
    peak = tl.full([M], float("-inf"), tl.float32)
    total = tl.zeros([M], tl.float32)
    for start in range(0, t, N):
        s = scores_of(q, k_ptr, k_t, k_d, start + tl.arange(0, N), i, c, t, d, scale, CAUSAL)
        new = tl.maximum(peak, tl.max(s, 1))
        total = total * tl.exp(peak - new) + tl.sum(tl.exp(s - new[:, None]), 1)
        peak = new
    acc = tl.zeros([M, D], tl.float32)
    for start in range(0, t, N):
        j = start + tl.arange(0, N)
        w = tl.exp(scores_of(q, k_ptr, k_t, k_d, j, i, c, t, d, scale, CAUSAL) - peak[:, None]) / total[:, None]
        v = tl.load(v_ptr + j[:, None] * v_t + c[None, :] * v_d, mask=(j[:, None] < t) & (c[None, :] < d), other=0.0)
        acc += tl.dot(w.to(v.dtype), v, input_precision="ieee")
    tl.store(o_ptr + (tl.program_id(1) * t + i[:, None]) * d + c[None, :], acc, mask=inside)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty((b, h, t, d), dtype=q.dtype)
    forward[(triton.cdiv(t, 32), b * h)](
        q, k, v, o, *q.stride(), *k.stride(), *v.stride(), h, t, d, d**-0.5,
        CAUSAL=causal, M=32, N=64, D=triton.next_power_of_2(d),
    )  # fmt: skip
    return o
