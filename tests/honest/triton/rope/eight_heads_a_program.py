"""Eight heads of q or k to a program, on the first axis of the grid; angles loaded for these eight."""

import torch
import triton
import triton.language as tl


@triton.jit
def turn(out, x, sb, sh, st, sd, first, heads, t, b, T, half, c1, c2, s1, s2, d):
    h = first + tl.arange(0, 8)[:, None]
    m = (h < heads) & (d < half)
    at = x + b * sb + h * sh + t * st + d * sd
    low = tl.load(at, mask=m, other=0.0).to(tl.float32)
    high = tl.load(at + half * sd, mask=m, other=0.0).to(tl.float32)
    to = out + ((b * heads + h) * T + t) * 2 * half + d
    tl.store(to, low * c1 - high * s1, mask=m)
    tl.store(to + half, high * c2 + low * s2, mask=m)


@triton.jit
def kernel(
    qo, ko, q, k, cos, sin, q0, q1, q2, q3, k0, k1, k2, k3, c_t, c_d, s_t, s_d, H, HK, T, half, DB: tl.constexpr
):
    group, t, b = tl.program_id(0), tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    d = tl.arange(0, DB)[None, :]
    inside = d < half
    c1 = tl.load(cos + t * c_t + d * c_d, mask=inside, other=0.0).to(tl.float32)
    c2 = tl.load(cos + t * c_t + (d + half) * c_d, mask=inside, other=0.0).to(tl.float32)
    s1 = tl.load(sin + t * s_t + d * s_d, mask=inside, other=0.0).to(tl.float32)
    s2 = tl.load(sin + t * s_t + (d + half) * s_d, mask=inside, other=0.0).to(tl.float32)
    of_q = tl.cdiv(H, 8)
    if group < of_q:
        turn(qo, q, q0, q1, q2, q3, group * 8, H, t, b, T, half, c1, c2, s1, s2, d)
    else:
        turn(ko, k, k0, k1, k2, k3, (group - of_q) * 8, HK, t, b, T, half, c1, c2, s1, s2, d)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    h_k = k.shape[1]
    qo, ko = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k))
    kernel[(triton.cdiv(h, 8) + triton.cdiv(h_k, 8), t, b)](
        qo, ko, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), h, h_k, t, d // 2,
        DB=triton.next_power_of_2(d // 2), num_warps=2,
    )  # fmt: skip
    return qo, ko
