"""A program for sixteen tokens, which loops over the heads of q and then of k; cos and sin as tiles of all dimensions."""

import torch
import triton
import triton.language as tl


@triton.jit
def turn(out, x, xh, xt, xd, heads, T, D, rows, inside, c1, c2, s1, s2, dims):
    half = D // 2
    for h in range(heads):
        at = x + h * xh + rows * xt
        a = tl.load(at + dims * xd, mask=inside, other=0.0).to(tl.float32)
        b = tl.load(at + (dims + half) * xd, mask=inside, other=0.0).to(tl.float32)
        to = out + (h * T + rows) * D + dims
        tl.store(to, a * c1 - b * s1, mask=inside)
        tl.store(to + half, b * c2 + a * s2, mask=inside)


@triton.jit
def kernel(qo, ko, q, k, cos, sin, qb, qh, qt, qd, kb, kh, kt, kd, ct, cd, st, sd, H, HK, T, D,
           ROWS: tl.constexpr, DIMS: tl.constexpr):
    b = tl.program_id(1)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    dims = tl.arange(0, DIMS)[None, :]
    half = D // 2
    inside = (rows < T) & (dims < half)
    c1 = tl.load(cos + rows * ct + dims * cd, mask=inside, other=0.0).to(tl.float32)
    c2 = tl.load(cos + rows * ct + (dims + half) * cd, mask=inside, other=0.0).to(tl.float32)
    s1 = tl.load(sin + rows * st + dims * sd, mask=inside, other=0.0).to(tl.float32)
    s2 = tl.load(sin + rows * st + (dims + half) * sd, mask=inside, other=0.0).to(tl.float32)
    turn(qo + b * H * T * D, q + b * qb, qh, qt, qd, H, T, D, rows, inside, c1, c2, s1, s2, dims)
    turn(ko + b * HK * T * D, k + b * kb, kh, kt, kd, HK, T, D, rows, inside, c1, c2, s1, s2, dims)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    qo = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    ko = torch.empty(k.shape, dtype=k.dtype, device=k.device)
    kernel[(triton.cdiv(t, 16), b)](
        qo, ko, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), h, k.shape[1], t, d,
        ROWS=16, DIMS=triton.next_power_of_2(d // 2),
    )
    return qo, ko
