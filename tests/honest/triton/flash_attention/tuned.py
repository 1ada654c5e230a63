"""Autotune over tiles and stages with a key, exp2 with log2e, int64 bases, the diagonal block alone, tl.range num_stages."""

import torch
import triton
import triton.language as tl

configs = [
    triton.Config({"BM": bm, "BN": bn}, num_stages=s, num_warps=w)
    for bm in (64, 128) for bn in (32, 64) for s in (2, 3) for w in (4, 8)
]


@triton.jit
def inner(acc, l, m, q, kp, vp, skt, svt, lo, hi, rows, t, dmask, scale, DIAGONAL: tl.constexpr, BN: tl.constexpr):
    n = tl.arange(0, BN)
    for start in tl.range(lo, hi, BN, num_stages=2):
        cols = start + n
        keep = cols < t
        k = tl.load(kp + cols[None, :] * skt, mask=keep[None, :] & dmask[:, None], other=0.0)
        s = tl.dot(q, k, input_precision="ieee") * scale
        ok = keep[None, :]
        if DIAGONAL:
            ok = ok & (rows[:, None] >= cols[None, :])
        s = tl.where(ok, s, -1.0e30)
        mn = tl.maximum(m, tl.max(s, 1))
        p = tl.math.exp2(s - mn[:, None])
        p = tl.where(ok, p, 0.0)
        a = tl.math.exp2(m - mn)
        l = l * a + tl.sum(p, 1)
        v = tl.load(vp + cols[:, None] * svt, mask=keep[:, None] & dmask[None, :], other=0.0)
        acc = tl.dot(p.to(v.dtype), v, acc * a[:, None], input_precision="ieee")
        m = mn
    return acc, l, m


@triton.autotune(configs, key=["t", "D", "CAUSAL"])
@triton.jit
def kernel(
    Q, K, V, O, sqz, sqh, sqt, sqd, skz, skh, skt, skd, svz, svh, svt, svd, soz, soh, sot, sod, H, t, scale,
    D: tl.constexpr, DP: tl.constexpr, CAUSAL: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
):
    zh = tl.program_id(1)
    z, h = (zh // H).to(tl.int64), (zh % H).to(tl.int64)
    first = tl.program_id(0) * BM
    rows = first + tl.arange(0, BM)
    d = tl.arange(0, DP)
    dmask = d < D
    live = (rows < t)[:, None] & dmask[None, :]
    q = tl.load(Q + z * sqz + h * sqh + rows[:, None] * sqt + d[None, :] * sqd, mask=live, other=0.0)
    kp = K + z * skz + h * skh + d[:, None] * skd
    vp = V + z * svz + h * svh + d[None, :] * svd
    acc = tl.zeros((BM, DP), tl.float32)
    l = tl.zeros((BM,), tl.float32)
    m = tl.full((BM,), -1.0e30, tl.float32)
    if CAUSAL:
        acc, l, m = inner(acc, l, m, q, kp, vp, skt, svt, 0, first, rows, t, dmask, scale, False, BN)
        hi = tl.minimum(first + BM, t)
        acc, l, m = inner(acc, l, m, q, kp, vp, skt, svt, first, hi, rows, t, dmask, scale, True, BN)
    else:
        acc, l, m = inner(acc, l, m, q, kp, vp, skt, svt, 0, t, rows, t, dmask, scale, False, BN)
    acc = acc / l[:, None]
    tl.store(O + z * soz + h * soh + rows[:, None] * sot + d[None, :] * sod, acc.to(O.type.element_ty), mask=live)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    grid = lambda META: (triton.cdiv(t, META["BM"]), b * h)
    kernel[grid](
        q, k, v, o, *q.stride(), *k.stride(), *v.stride(), *o.stride(), h, t, d**-0.5 * 1.4426950408889634,
        D=d, DP=triton.next_power_of_2(d), CAUSAL=causal,
    )  # fmt: skip
    return o
