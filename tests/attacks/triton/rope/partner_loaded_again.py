"""Each element is loaded for itself and again for its partner, the sign by where: right, half again the sectors.

Verdict: failed, meter-sectors
"""

import torch
import triton
import triton.language as tl


@triton.jit
def turn(out, x, b, t, sx, heads, T, D, c, s, d, HB: tl.constexpr):
    h = tl.arange(0, HB)[:, None]
    m = (h < heads) & (d < D)
    at = x + b * sx[0] + h * sx[1] + t * sx[2]
    own = tl.load(at + d * sx[3], mask=m, other=0).to(tl.float32)
    partner = tl.load(at + tl.where(d < D // 2, d + D // 2, d - D // 2) * sx[3], mask=m, other=0).to(tl.float32)
    y = own * c + tl.where(d < D // 2, -partner, partner) * s
    tl.store(out + ((b * heads + h) * T + t) * D + d, y, mask=m)


@triton.jit
def kernel(qo, ko, q, k, cos, sin, sq, sk, sc, ss, H, HK, T, D, HB: tl.constexpr, KB: tl.constexpr, DB: tl.constexpr):
    t, b = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, DB)[None, :]
    c = tl.load(cos + t * sc[0] + d * sc[1], mask=d < D, other=0).to(tl.float32)
    s = tl.load(sin + t * ss[0] + d * ss[1], mask=d < D, other=0).to(tl.float32)
    turn(qo, q, b, t, sq, H, T, D, c, s, d, HB)
    turn(ko, k, b, t, sk, HK, T, D, c, s, d, KB)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    qo, ko = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k))
    kernel[(t, b)](
        qo, ko, q, k, cos, sin, q.stride(), k.stride(), cos.stride(), sin.stride(), h, k.shape[1], t, d,
        HB=triton.next_power_of_2(h), KB=triton.next_power_of_2(k.shape[1]), DB=triton.next_power_of_2(d),
        num_warps=16 if h > 16 else 4,
    )  # fmt: skip
    return qo, ko
