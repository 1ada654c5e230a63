"""Strides as tuples, the scale by tl.sqrt in the kernel, helper kernels for a tile and for the update, keys by 128."""

import torch
import triton
import triton.language as tl

NEG = tl.constexpr(float("-inf"))


@triton.jit
def tile(ptr, i, j, ni, nj, si, sj):
    return tl.load(ptr + i[:, None] * si + j[None, :] * sj, mask=(i[:, None] < ni) & (j[None, :] < nj), other=0.0)


@triton.jit
def online(peak, total, o, s, v):
    new = tl.maximum(peak, tl.max(s, 1))
    shrink = tl.exp(peak - new)
    w = tl.exp(s - new[:, None])
    o = tl.dot(w.to(v.dtype), v, o * shrink[:, None], input_precision="ieee", out_dtype=tl.float32)
    return new, total * shrink + tl.sum(w, 1), o


@triton.jit
def kernel(o_ptr, q_ptr, k_ptr, v_ptr, qs, ks, vs, os, t, d: tl.constexpr, causal: tl.constexpr, BQ: tl.constexpr, BK: tl.constexpr, BD: tl.constexpr):
    batch, head = tl.program_id(2), tl.program_id(1)
    i = tl.program_id(0) * BQ + tl.arange(0, BQ)
    c = tl.arange(0, BD)
    q = tile(q_ptr + batch * qs[0] + head * qs[1], i, c, t, d, qs[2], qs[3])
    k_ptr += batch * ks[0] + head * ks[1]
    v_ptr += batch * vs[0] + head * vs[1]
    peak = tl.full((BQ,), NEG, tl.float32)
    total = tl.zeros_like(peak)
    o = tl.zeros((BQ, BD), tl.float32)
    stop = tl.minimum((tl.program_id(0) + 1) * BQ, t) if causal else t
    for start in range(0, stop, BK):
        j = start + tl.arange(0, BK)
        k = tile(k_ptr, j, c, t, d, ks[2], ks[3])
        v = tile(v_ptr, j, c, t, d, vs[2], vs[3])
        s = tl.dot(q, tl.trans(k), input_precision="ieee") / tl.sqrt(d * 1.0)
        seen = (j < t)[None, :]
        if causal:
            seen = seen & (j[None, :] <= i[:, None])
        peak, total, o = online(peak, total, o, tl.where(seen, s, NEG), v)
    out = o_ptr + batch * os[0] + head * os[1] + i[:, None] * os[2] + c[None, :] * os[3]
    tl.store(out, (o / total[:, None]).to(o_ptr.dtype.element_ty), mask=(i[:, None] < t) & (c[None, :] < d))


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty_like(q)
    kernel[(triton.cdiv(t, 64), h, b)](
        o, q, k, v, q.stride(), k.stride(), v.stride(), o.stride(), t, d, causal, 64, 128, triton.next_power_of_2(d)
    )
    return o
