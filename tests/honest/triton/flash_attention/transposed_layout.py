"""[b, t, h, d] inside: the result is allocated as such and returned transposed; strides of all; scaled by exp2 in the exponent."""

import torch as t
import triton
import triton.language as tl
from triton import cdiv, next_power_of_2 as pow2


@triton.jit
def fwd(o, q, k, v, ob, oh, ot, qb, qh, qt, qd, kb, kh, kt, kd, vb, vh, vt, vd, T, scale, D: tl.constexpr, CAUSAL: tl.constexpr, BLOCK: tl.constexpr, BD: tl.constexpr):
    i0 = tl.program_id(0) * BLOCK
    off = tl.arange(0, BLOCK)
    x = tl.arange(0, BD)
    h = tl.program_id(1)
    b = tl.program_id(2)
    Q = tl.load(q + b * qb + h * qh + (i0 + off)[:, None] * qt + x[None, :] * qd, mask=((i0 + off) < T)[:, None] & (x < D)[None, :], other=0.0)
    best = tl.full([BLOCK], -3.4e38, tl.float32)
    z = tl.zeros([BLOCK], tl.float32)
    y = tl.zeros([BLOCK, BD], tl.float32)
    limit = i0 + BLOCK if CAUSAL else T
    for j0 in range(0, limit, BLOCK):
        j = j0 + off
        K = tl.load(k + b * kb + h * kh + j[None, :] * kt + x[:, None] * kd, mask=(j < T)[None, :] & (x < D)[:, None], other=0.0)
        V = tl.load(v + b * vb + h * vh + j[:, None] * vt + x[None, :] * vd, mask=(j < T)[:, None] & (x < D)[None, :], other=0.0)
        s = tl.dot(Q, K, input_precision="ieee")
        live = (j < T)[None, :] & ((j[None, :] <= (i0 + off)[:, None]) if CAUSAL else (j >= 0)[None, :])
        s = tl.where(live, s * scale, -3.4e38)
        now = tl.maximum(best, tl.max(s, 1))
        e = tl.where(live, tl.exp2((s - now[:, None]) * 1.44269504), 0.0)
        r = tl.exp2((best - now) * 1.44269504)
        z = z * r + tl.sum(e, 1)
        y = y * r[:, None] + tl.dot(e.to(V.dtype), V, input_precision="ieee")
        best = now
    tl.store(o + b * ob + h * oh + (i0 + off)[:, None] * ot + x[None, :], y / z[:, None], mask=((i0 + off) < T)[:, None] & (x < D)[None, :])


def flash_attention(q, k, v, causal=False):
    b, h, n, d = q.shape
    o = t.empty(b, n, h, d, dtype=q.dtype, device=q.device).transpose(1, 2)
    fwd[cdiv(n, 32), h, b](o, q, k, v, *o.stride()[:3], *q.stride(), *k.stride(), *v.stride(), n, d**-0.5, d, causal, 32, pow2(d))
    return o
