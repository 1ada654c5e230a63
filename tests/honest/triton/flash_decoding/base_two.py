"""Logarithms to base 2 throughout, keys dealt to the splits like cards, parts joined one after the other."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def partial_attention(
    q_ptr, k_ptr, v_ptr, part_ptr, lse_ptr, stride_qb, stride_qh, stride_qd, stride_kb, stride_kh, stride_kt, stride_kd,
    stride_vb, stride_vh, stride_vt, stride_vd, heads, t, factor, splits, d, N: tl.constexpr, D: tl.constexpr,
):
    head = tl.program_id(0)
    split = tl.program_id(1)
    b, h = head // heads, head % heads
    cols = tl.arange(0, D)
    ok = cols < d
    q = tl.load(q_ptr + b * stride_qb + h * stride_qh + cols * stride_qd, mask=ok, other=0.0).to(tl.float32) * factor
    peak, total = -float("inf"), 0.0
    out = tl.zeros((D,), tl.float32)
    for first in range(split * N, t, splits * N):
        keys = first + tl.arange(0, N)
        mask = (keys < t)[:, None] & ok[None, :]
        k = tl.load(k_ptr + b * stride_kb + h * stride_kh + keys[:, None] * stride_kt + cols[None, :] * stride_kd, mask=mask, other=0.0)
        score = tl.where(keys < t, tl.sum(k.to(tl.float32) * q[None, :], axis=1), -float("inf"))
        v = tl.load(v_ptr + b * stride_vb + h * stride_vh + keys[:, None] * stride_vt + cols[None, :] * stride_vd, mask=mask, other=0.0)
        top = tl.maximum(peak, tl.max(score, 0))
        w = tl.exp2(score - top)
        out = out * tl.exp2(peak - top) + tl.sum(w[:, None] * v, axis=0)
        total = total * tl.exp2(peak - top) + tl.sum(w, 0)
        peak = top
    if total > 0:
        out = out / total
    tl.store(part_ptr + (head * splits + split) * d + cols, out, mask=ok)
    tl.store(lse_ptr + head * splits + split, peak + tl.log2(total))


@triton.jit
def combine(part_ptr, lse_ptr, o_ptr, splits, d, D: tl.constexpr):
    head = tl.program_id(0)
    cols = tl.arange(0, D)
    peak, total = -float("inf"), 0.0
    out = tl.zeros((D,), tl.float32)
    for split in range(splits):
        lse = tl.load(lse_ptr + head * splits + split)
        part = tl.load(part_ptr + (head * splits + split) * d + cols, mask=cols < d, other=0.0)
        top = tl.maximum(peak, lse)
        out = out * tl.exp2(peak - top) + part * tl.exp2(lse - top)
        total = total * tl.exp2(peak - top) + tl.exp2(lse - top)
        peak = top
    tl.store(o_ptr + head * d + cols, (out / total).to(o_ptr.dtype.element_ty), mask=cols < d)


def flash_decoding(q, k, v, splits):
    b, h, t, d = k.shape
    o = torch.empty(b, h, d, dtype=q.dtype, device=q.device)
    part = torch.empty(b, h, splits, d, dtype=torch.float32, device=q.device)
    lse = torch.empty(b, h, splits, dtype=torch.float32, device=q.device)
    D = triton.next_power_of_2(d)
    partial_attention[(b * h, splits)](
        q, k, v, part, lse, *q.stride(), *k.stride(), *v.stride(), h, t, math.log2(math.e) / math.sqrt(d), splits, d,
        N=16, D=D,
    )
    combine[(b * h,)](part, lse, o, splits, d, D=D)
    return o
