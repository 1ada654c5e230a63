"""A triton.constexpr_function for the block sizes, one for-loop over two kinds of blocks, launch options in a dict."""

import torch
import triton
import triton.language as tl


@triton.constexpr_function
def at_least(n, least):
    return n if n > least else least


@triton.jit
def update(q, k, v, acc, total, peak, seen, scale):
    s = tl.where(seen, tl.dot(q, k, input_precision="ieee") * scale, float("-inf"))
    new = tl.maximum(peak, tl.max(s, 1))
    p = tl.exp(s - new[:, None])
    shrink = tl.exp(peak - new)
    acc = acc * shrink[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
    return acc, total * shrink + tl.sum(p, 1), new


@triton.jit
def kernel(Q, K, V, O, qs, qr, qc, ks, kr, kc, vs, vr, vc, T, D: tl.constexpr, scale,
           CAUSAL: tl.constexpr, M: tl.constexpr, N: tl.constexpr, P: tl.constexpr):
    DP: tl.constexpr = at_least(P, 16)
    z, start = tl.program_id(1).to(tl.int64), tl.program_id(0) * M
    r, c = start + tl.arange(0, M), tl.arange(0, DP)
    q = tl.load(Q + z * qs + r[:, None] * qr + c[None, :] * qc, (r[:, None] < T) & (c[None, :] < D), other=0.0)
    acc, total = tl.zeros((M, DP), tl.float32), tl.zeros((M,), tl.float32)
    peak = tl.full((M,), float("-inf"), tl.float32)
    last = min(T, start + M) if CAUSAL else T
    for first in range(0, last, N):
        n = first + tl.arange(0, N)
        k = tl.load(K + z * ks + n[None, :] * kr + c[:, None] * kc, (n[None, :] < T) & (c[:, None] < D), other=0.0)
        v = tl.load(V + z * vs + n[:, None] * vr + c[None, :] * vc, (n[:, None] < T) & (c[None, :] < D), other=0.0)
        seen = n[None, :] < T
        if CAUSAL:
            seen = seen & (n[None, :] <= r[:, None])
        acc, total, peak = update(q, k, v, acc, total, peak, seen, scale)
    out = O + z * T * D + r[:, None] * D + c[None, :]
    tl.store(out, acc / total[:, None], (r[:, None] < T) & (c[None, :] < D))


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    q, k, v = (each.reshape(b * h, t, d) for each in (q, k, v))
    options = dict(CAUSAL=causal, M=32, N=32, P=triton.next_power_of_2(d), num_warps=4)
    kernel[(triton.cdiv(t, 32), b * h)](
        q, k, v, o, *q.stride(), *k.stride(), *v.stride(), t, d, d**-0.5, **options
    )
    return o
