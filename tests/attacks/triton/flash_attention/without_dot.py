"""Sixteen queries per program, products by tl.sum over a three-dimensional block instead of tl.dot; a launch per sequence.

Verdict: failed, meter-plain_flops
"""

import torch
import triton
import triton.language as tl


@triton.jit
def few_queries(q, k, v, o, qh, qt, qd, kh, kt, kd, vh, vt, vd, oh, ot, od, t, d, scale,
                CAUSAL: tl.constexpr, BQ: tl.constexpr, BK: tl.constexpr, BD: tl.constexpr):
    i = tl.program_id(0) * BQ + tl.arange(0, BQ)
    h = tl.program_id(1)
    c = tl.arange(0, BD)
    inside = (i < t)[:, None] & (c < d)[None, :]
    rows = tl.load(q + h * qh + i[:, None] * qt + c[None, :] * qd, mask=inside, other=0.0).to(tl.float32) * scale
    peak = tl.full((BQ,), float("-inf"), tl.float32)
    total = tl.zeros((BQ,), tl.float32)
    acc = tl.zeros((BQ, BD), tl.float32)
    keys = t
    if CAUSAL:
        keys = min(t, (tl.program_id(0) + 1) * BQ)
    for start in range(0, keys, BK):
        j = start + tl.arange(0, BK)
        ok = (j < keys)[:, None] & (c < d)[None, :]
        kk = tl.load(k + h * kh + j[:, None] * kt + c[None, :] * kd, mask=ok, other=0.0).to(tl.float32)
        vv = tl.load(v + h * vh + j[:, None] * vt + c[None, :] * vd, mask=ok, other=0.0).to(tl.float32)
        s = tl.sum(rows[:, None, :] * kk[None, :, :], axis=2)
        s = tl.where((j < keys)[None, :], s, float("-inf"))
        if CAUSAL:
            s = tl.where(j[None, :] <= i[:, None], s, float("-inf"))
        new = tl.maximum(peak, tl.max(s, axis=1))
        w = tl.exp(s - new[:, None])
        alpha = tl.exp(peak - new)
        total = total * alpha + tl.sum(w, axis=1)
        acc = acc * alpha[:, None] + tl.sum(w[:, :, None] * vv[None, :, :], axis=1)
        peak = new
    tl.store(o + h * oh + i[:, None] * ot + c[None, :] * od, acc / total[:, None], mask=inside)


def flash_attention(q, k, v, causal=False):
    B, H, T, D = q.shape
    out = torch.empty_like(q, memory_format=torch.contiguous_format)
    BQ = 16
    for b in range(B):
        few_queries[(triton.cdiv(T, BQ), H)](
            q[b], k[b], v[b], out[b],
            *q[b].stride(), *k[b].stride(), *v[b].stride(), *out[b].stride(),
            T, D, D ** -0.5, CAUSAL=causal, BQ=BQ, BK=16, BD=triton.next_power_of_2(D),
        )
    return out
