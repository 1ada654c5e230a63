"""As in the first FlashAttention: o is kept normalised, with its log-sum-exp; a while loop over the keys."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def fwd(Q, K, V, O, Lse, sq, sk, sv, so, T, D, scale, CAUSAL: tl.constexpr, BQ: tl.constexpr, BK: tl.constexpr, BD: tl.constexpr):
    # sq … so: tuples of four strides
    iq = tl.program_id(0)
    ih = tl.program_id(1)
    ib = tl.program_id(2)
    Q += ib * sq[0] + ih * sq[1]
    K += ib * sk[0] + ih * sk[1]
    V += ib * sv[0] + ih * sv[1]
    O += ib * so[0] + ih * so[1]
    m = iq * BQ + tl.arange(0, BQ)
    d = tl.arange(0, BD)
    dm = d < D
    q = tl.load(Q + m[:, None] * sq[2] + d[None, :] * sq[3], mask=(m < T)[:, None] & dm[None, :], other=0)
    lse = tl.full([BQ], float("-inf"), dtype=tl.float32)
    o = tl.zeros([BQ, BD], dtype=tl.float32)
    start = 0
    stop = T
    if CAUSAL:
        stop = tl.minimum(T, (iq + 1) * BQ)
    while start < stop:
        n = start + tl.arange(0, BK)
        inside = (n < T)[:, None] & dm[None, :]
        k = tl.load(K + n[:, None] * sk[2] + d[None, :] * sk[3], mask=inside, other=0)
        v = tl.load(V + n[:, None] * sv[2] + d[None, :] * sv[3], mask=inside, other=0)
        s = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        s = tl.where((n < T)[None, :], s, float("-inf"))
        if CAUSAL:
            s = tl.where(n[None, :] <= m[:, None], s, float("-inf"))
        peak = tl.max(s, 1)
        peak = tl.where(peak == float("-inf"), 0.0, peak)
        p = tl.exp(s - peak[:, None])
        here = peak + tl.log(tl.sum(p, 1))  # log-sum-exp of this block; -inf where it hides everything
        top = tl.maximum(lse, here)
        new = top + tl.log(tl.exp(lse - top) + tl.exp(here - top))
        o = o * tl.exp(lse - new)[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee") * tl.exp(peak - new)[:, None]
        lse = new
        start += BK
    tl.store(O + m[:, None] * so[2] + d[None, :] * so[3], o, mask=(m < T)[:, None] & dm[None, :])
    tl.store(Lse + (ib * tl.num_programs(1) + ih) * T + m, lse, mask=m < T)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, t), dtype=torch.float32, device=q.device)  # for a backward pass, one day
    grid = (math.ceil(t / 32), h, b)
    fwd[grid](
        q, k, v, o, lse, q.stride(), k.stride(), v.stride(), o.stride(), t, d, d**-0.5,
        CAUSAL=causal, BQ=32, BK=32, BD=triton.next_power_of_2(d),
    )  # fmt: skip
    return o
