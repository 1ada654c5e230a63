"""Pairs in a tile [heads, 2, half], the partner as their sum less oneself; results [b, t, h, d], returned as views."""

import torch
import triton
import triton.language as tl


@triton.jit
def turn(out, x, sh, sd, heads, half, c, s, i, p, HB: tl.constexpr):
    h = tl.arange(0, HB)[:, None, None]
    m = (h < heads) & (i < half)
    pair = tl.load(x + h * sh + (p * half + i) * sd, mask=m, other=0.0).to(tl.float32)  # (HB, 2, DB)
    low = tl.sum(tl.where(p == 0, pair, 0.0), axis=1, keep_dims=True)
    high = tl.sum(tl.where(p == 1, pair, 0.0), axis=1, keep_dims=True)
    y = pair * c + tl.where(p == 0, -high, low) * s
    tl.store(out + h * 2 * half + p * half + i, y, mask=m)


@triton.jit
def kernel(qo, ko, q, k, cos, sin, sq, sk, sc, ss, H, HK, T, half, HB: tl.constexpr, KB: tl.constexpr, DB: tl.constexpr):
    t, b = tl.program_id(0), tl.program_id(1)
    p, i = tl.arange(0, 2)[None, :, None], tl.arange(0, DB)[None, None, :]
    at = p * half + i
    c = tl.load(cos + t * sc[0] + at * sc[1], mask=i < half, other=0.0).to(tl.float32)
    s = tl.load(sin + t * ss[0] + at * ss[1], mask=i < half, other=0.0).to(tl.float32)
    row = b * T + t
    turn(qo + row * H * 2 * half, q + b * sq[0] + t * sq[2], sq[1], sq[3], H, half, c, s, i, p, HB)
    turn(ko + row * HK * 2 * half, k + b * sk[0] + t * sk[2], sk[1], sk[3], HK, half, c, s, i, p, KB)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    h_k = k.shape[1]
    qo = torch.empty((b, t, h, d), dtype=q.dtype, device=q.device)
    ko = torch.empty((b, t, h_k, d), dtype=q.dtype, device=q.device)
    kernel[(t, b)](
        qo, ko, q, k, cos, sin, q.stride(), k.stride(), cos.stride(), sin.stride(), h, h_k, t, d // 2,
        HB=triton.next_power_of_2(h), KB=triton.next_power_of_2(h_k), DB=triton.next_power_of_2(d // 2),
        num_warps=32 if h > 16 else 4,
    )  # fmt: skip
    return qo.transpose(1, 2), ko.transpose(1, 2)
