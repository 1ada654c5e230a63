"""As FlashAttention-2 does it: one kernel over blocks of keys, dq by atomics in float32, converted in the end."""

import torch
import triton
import triton.language as tl


@triton.jit
def preprocess(o_ptr, do_ptr, delta_ptr, T, D: tl.constexpr, M: tl.constexpr, BD: tl.constexpr):
    z = tl.program_id(1)
    m = tl.program_id(0) * M + tl.arange(0, M)
    c = tl.arange(0, BD)
    mask = (m < T)[:, None] & (c < D)[None, :]
    at = (z * T + m)[:, None] * D + c[None, :]
    o = tl.load(o_ptr + at, mask=mask, other=0.0).to(tl.float32)
    do = tl.load(do_ptr + at, mask=mask, other=0.0).to(tl.float32)
    tl.store(delta_ptr + z * T + m, tl.sum(o * do, axis=1), mask=m < T)


@triton.jit
def backward(
    q_ptr, k_ptr, v_ptr, do_ptr, dq_ptr, dk_ptr, dv_ptr, lse_ptr, delta_ptr, T, scale,
    D: tl.constexpr, CAUSAL: tl.constexpr, M: tl.constexpr, N: tl.constexpr, BD: tl.constexpr,
):
    z = tl.program_id(1).to(tl.int64)
    n = tl.program_id(0) * N + tl.arange(0, N)
    c = tl.arange(0, BD)
    in_n = (n < T)[:, None] & (c < D)[None, :]
    k = tl.load(k_ptr + (z * T + n)[:, None] * D + c[None, :], mask=in_n, other=0.0)
    v = tl.load(v_ptr + (z * T + n)[:, None] * D + c[None, :], mask=in_n, other=0.0)
    dk = tl.zeros([N, BD], tl.float32)
    dv = tl.zeros([N, BD], tl.float32)
    low = (tl.program_id(0) * N // M) * M if CAUSAL else 0
    for start in range(low, T, M):
        m = start + tl.arange(0, M)
        in_m = (m < T)[:, None] & (c < D)[None, :]
        at = (z * T + m)[:, None] * D + c[None, :]
        q = tl.load(q_ptr + at, mask=in_m, other=0.0)
        do = tl.load(do_ptr + at, mask=in_m, other=0.0)
        lse = tl.load(lse_ptr + z * T + m, mask=m < T, other=float("inf"))
        delta = tl.load(delta_ptr + z * T + m, mask=m < T, other=0.0)
        s = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        seen = (n < T)[None, :] & (m < T)[:, None]
        if CAUSAL:
            seen = seen & (m[:, None] >= n[None, :])
        p = tl.exp(tl.where(seen, s - lse[:, None], float("-inf")))
        dv += tl.dot(tl.trans(p.to(do.dtype)), do, input_precision="ieee")
        dp = tl.dot(do, tl.trans(v), input_precision="ieee")
        ds = (p * (dp - delta[:, None]) * scale).to(q.dtype)
        dk += tl.dot(tl.trans(ds), q, input_precision="ieee")
        tl.atomic_add(dq_ptr + at, tl.dot(ds, k, input_precision="ieee"), mask=in_m)
    tl.store(dk_ptr + (z * T + n)[:, None] * D + c[None, :], dk.to(k.dtype), mask=in_n)
    tl.store(dv_ptr + (z * T + n)[:, None] * D + c[None, :], dv.to(v.dtype), mask=in_n)


def flash_attention_backward(do, q, k, v, o, lse, causal=False):
    do, q, k, v, o, lse = (x.contiguous() for x in (do, q, k, v, o, lse))
    B, H, T, D = q.shape
    delta = torch.empty_like(lse)
    dq = torch.zeros(q.shape, dtype=torch.float32, device=q.device)
    dk, dv = torch.empty_like(k), torch.empty_like(v)
    BD, M = max(triton.next_power_of_2(D), 16), 32
    grid = (triton.cdiv(T, M), B * H)
    preprocess[grid](o, do, delta, T, D=D, M=M, BD=BD)
    backward[grid](q, k, v, do, dq, dk, dv, lse, delta, T, D**-0.5, D=D, CAUSAL=causal, M=M, N=M, BD=BD)
    return dq.to(q.dtype), dk, dv
