"""A program for each head, which loads cos and sin again: right, and three times the traffic.

Verdict: failed, meter-sectors
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(qo, ko, q, k, cos, sin, sq, sk, sc, ss, H, HK, T, half, DB: tl.constexpr):
    t, h, b = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    d = tl.arange(0, DB)
    m = d < half
    c1 = tl.load(cos + t * sc[0] + d * sc[1], mask=m, other=0).to(tl.float32)
    c2 = tl.load(cos + t * sc[0] + (d + half) * sc[1], mask=m, other=0).to(tl.float32)
    s1 = tl.load(sin + t * ss[0] + d * ss[1], mask=m, other=0).to(tl.float32)
    s2 = tl.load(sin + t * ss[0] + (d + half) * ss[1], mask=m, other=0).to(tl.float32)
    if h < H:
        x = q + b * sq[0] + h * sq[1] + t * sq[2]
        low = tl.load(x + d * sq[3], mask=m, other=0).to(tl.float32)
        high = tl.load(x + (d + half) * sq[3], mask=m, other=0).to(tl.float32)
        y = qo + ((b * H + h) * T + t) * 2 * half + d
    else:
        x = k + b * sk[0] + (h - H) * sk[1] + t * sk[2]
        low = tl.load(x + d * sk[3], mask=m, other=0).to(tl.float32)
        high = tl.load(x + (d + half) * sk[3], mask=m, other=0).to(tl.float32)
        y = ko + ((b * HK + h - H) * T + t) * 2 * half + d
    tl.store(y, low * c1 - high * s1, mask=m)
    tl.store(y + half, high * c2 + low * s2, mask=m)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    h_k = k.shape[1]
    qo, ko = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k))
    kernel[(t, h + h_k, b)](
        qo, ko, q, k, cos, sin, q.stride(), k.stride(), cos.stride(), sin.stride(), h, h_k, t, d // 2,
        DB=triton.next_power_of_2(d // 2),
    )
    return qo, ko
