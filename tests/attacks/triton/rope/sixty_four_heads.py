"""Blocks have room for 64 heads, as the 70-billion Llama has.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def turn(out, x, b, t, sx, heads, T, half, c1, c2, s1, s2, d, HB: tl.constexpr):
    h = tl.arange(0, HB)[:, None]
    m = (h < heads) & (d < half)
    at = x + b * sx[0] + h * sx[1] + t * sx[2]
    low = tl.load(at + d * sx[3], mask=m, other=0).to(tl.float32)
    high = tl.load(at + (d + half) * sx[3], mask=m, other=0).to(tl.float32)
    to = out + ((b * heads + h) * T + t) * 2 * half + d
    tl.store(to, low * c1 - high * s1, mask=m)
    tl.store(to + half, high * c2 + low * s2, mask=m)


@triton.jit
def kernel(qo, ko, q, k, cos, sin, sq, sk, sc, ss, H, HK, T, half, HB: tl.constexpr, DB: tl.constexpr):
    t, b = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, DB)[None, :]
    c1 = tl.load(cos + t * sc[0] + d * sc[1], mask=d < half, other=0).to(tl.float32)
    c2 = tl.load(cos + t * sc[0] + (d + half) * sc[1], mask=d < half, other=0).to(tl.float32)
    s1 = tl.load(sin + t * ss[0] + d * ss[1], mask=d < half, other=0).to(tl.float32)
    s2 = tl.load(sin + t * ss[0] + (d + half) * ss[1], mask=d < half, other=0).to(tl.float32)
    turn(qo, q, b, t, sq, H, T, half, c1, c2, s1, s2, d, HB)
    turn(ko, k, b, t, sk, HK, T, half, c1, c2, s1, s2, d, HB)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    h_k = k.shape[1]
    qo, ko = (torch.zeros(x.shape, dtype=x.dtype, device=x.device) for x in (q, k))
    kernel[(t, b)](
        qo, ko, q, k, cos, sin, q.stride(), k.stride(), cos.stride(), sin.stride(), h, h_k, t, d // 2,
        HB=64, DB=triton.next_power_of_2(d // 2), num_warps=16 if h > 16 else 4,
    )
    return qo, ko
