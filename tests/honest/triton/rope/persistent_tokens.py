"""Persistent programs over all tokens of all sequences, tuned; q and k 32 heads at a time; angles as complex numbers."""

import torch
import triton
import triton.language as tl


@triton.jit
def times(a, b, c, s):
    return a * c - b * s


@triton.jit
def heads_of(out, x, stride_h, stride_d, out_h, heads, half, c1, c2, s1, s2, d, HB: tl.constexpr):
    for first in range(0, heads, HB):
        h = (first + tl.arange(0, HB)[:, None]).to(tl.int64)
        m = (h < heads) & (d < half)
        a = tl.load(x + h * stride_h + d * stride_d, mask=m, other=0.0).to(tl.float32)
        b = tl.load(x + h * stride_h + (d + half) * stride_d, mask=m, other=0.0).to(tl.float32)
        tl.store(out + h * out_h + d, times(a, b, c1, s1).to(out.dtype.element_ty), mask=m)
        tl.store(out + h * out_h + d + half, times(b, a, c2, -s2).to(out.dtype.element_ty), mask=m)


@triton.autotune([triton.Config({}, num_warps=n, num_stages=1) for n in (4, 8, 16)], key=["H", "D"])
@triton.jit
def kernel(
    qo, ko, q, k, cos, sin, sq, sk, sc, ss, tokens, H, HK, T, D, HB: tl.constexpr, KB: tl.constexpr, DB: tl.constexpr
):
    half = D // 2
    d = tl.arange(0, DB)[None, :]
    m = d < half
    for token in range(tl.program_id(0), tokens, tl.num_programs(0)):
        b, t = (token // T).to(tl.int64), (token % T).to(tl.int64)
        c1 = tl.load(cos + t * sc[0] + d * sc[1], mask=m, other=1.0).to(tl.float32)
        c2 = tl.load(cos + t * sc[0] + (d + half) * sc[1], mask=m, other=1.0).to(tl.float32)
        s1 = tl.load(sin + t * ss[0] + d * ss[1], mask=m, other=0.0).to(tl.float32)
        s2 = tl.load(sin + t * ss[0] + (d + half) * ss[1], mask=m, other=0.0).to(tl.float32)
        heads_of(
            qo + (b * H * T + t) * D, q + b * sq[0] + t * sq[2], sq[1], sq[3], T * D, H, half, c1, c2, s1, s2, d, HB
        )
        heads_of(
            ko + (b * HK * T + t) * D, k + b * sk[0] + t * sk[2], sk[1], sk[3], T * D, HK, half, c1, c2, s1, s2, d, KB
        )


def rope(q, k, cos, sin):
    B, H, T, D = q.shape
    HK = k.shape[1]
    qo = torch.empty((B, H, T, D), dtype=q.dtype, device=q.device)
    ko = torch.empty((B, HK, T, D), dtype=k.dtype, device=k.device)
    kernel[(min(B * T, 528),)](
        qo, ko, q, k, cos, sin, q.stride(), k.stride(), cos.stride(), sin.stride(), B * T, H, HK, T, D,
        HB=min(triton.next_power_of_2(H), 32), KB=min(triton.next_power_of_2(HK), 32),
        DB=triton.next_power_of_2(D // 2),
    )  # fmt: skip
    return qo, ko
