"""Flash-decoding: the keys split among programs, partial results and log-sum-exps joined by a second kernel."""

import torch
import triton
import triton.language as tl

SPLIT = 64  # keys for each program


@triton.jit
def partial_kernel(
    q_ptr, k_ptr, v_ptr, part_ptr, lse_ptr, h, t, d, splits, scale,
    qb, qh, qt, qd, kb, kh, kt, kd, vb, vh, vt, vd,
    CAUSAL: tl.constexpr, BQ: tl.constexpr, BS: tl.constexpr, BD: tl.constexpr,
):
    z = tl.program_id(1)
    s = tl.program_id(2)
    ib, ih = z // h, z % h
    row = tl.program_id(0) * BQ + tl.arange(0, BQ)
    key = s * BS + tl.arange(0, BS)
    c = tl.arange(0, BD)
    in_q = (row[:, None] < t) & (c[None, :] < d)
    in_k = (key[:, None] < t) & (c[None, :] < d)
    q = tl.load(q_ptr + ib * qb + ih * qh + row[:, None] * qt + c[None, :] * qd, mask=in_q, other=0.0)
    k = tl.load(k_ptr + ib * kb + ih * kh + key[:, None] * kt + c[None, :] * kd, mask=in_k, other=0.0)
    v = tl.load(v_ptr + ib * vb + ih * vh + key[:, None] * vt + c[None, :] * vd, mask=in_k, other=0.0)
    score = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
    visible = (key[None, :] < t) & (row[:, None] < t)
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, float("-inf"))
    peak = tl.max(score, axis=1)
    peak = tl.where(peak > float("-inf"), peak, 0.0)
    w = tl.exp(score - peak[:, None])
    total = tl.sum(w, axis=1)
    out = tl.dot(w.to(v.dtype), v, input_precision="ieee") / tl.where(total > 0, total, 1.0)[:, None]
    at = (z * splits + s) * t + row
    tl.store(part_ptr + at[:, None] * d + c[None, :], out, mask=in_q)
    tl.store(lse_ptr + at, peak + tl.log(total), mask=row < t)


@triton.jit
def combine_kernel(part_ptr, lse_ptr, o_ptr, t, d, splits, PS: tl.constexpr, BR: tl.constexpr, BD: tl.constexpr):
    row = tl.program_id(0) * BR + tl.arange(0, BR)
    z = tl.program_id(1)
    s = tl.arange(0, PS)
    c = tl.arange(0, BD)
    at = (z * splits + s[:, None]) * t + row[None, :]  # [PS, BR]
    inside = (s < splits)[:, None] & (row < t)[None, :]
    lse = tl.load(lse_ptr + at, mask=inside, other=float("-inf"))
    peak = tl.max(lse, axis=0)
    w = tl.exp(lse - tl.where(row < t, peak, 0.0)[None, :])
    part = tl.load(part_ptr + at[:, :, None] * d + c, mask=inside[:, :, None] & (c < d)[None, None, :], other=0.0)
    o = tl.sum(part * w[:, :, None], axis=0) / tl.sum(w, axis=0)[:, None]
    tl.store(o_ptr + (z * t + row)[:, None] * d + c[None, :], o, mask=(row < t)[:, None] & (c < d)[None, :])


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    splits = triton.cdiv(t, SPLIT)
    part = torch.empty((b * h, splits, t, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b * h, splits, t), dtype=torch.float32, device=q.device)
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    BD = triton.next_power_of_2(d)
    partial_kernel[(triton.cdiv(t, 32), b * h, splits)](
        q, k, v, part, lse, h, t, d, splits, d**-0.5, *q.stride(), *k.stride(), *v.stride(),
        CAUSAL=causal, BQ=32, BS=SPLIT, BD=BD,
    )
    combine_kernel[(triton.cdiv(t, 32), b * h)](
        part, lse, o, t, d, splits, PS=triton.next_power_of_2(splits), BR=32, BD=BD
    )
    return o
