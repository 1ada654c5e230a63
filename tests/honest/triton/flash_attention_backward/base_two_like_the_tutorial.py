"""The tutorial's names and its exp2: scores times log2(e), blocks of unequal sizes, dk and dv before dq in one kernel."""

import torch
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def _attn_bwd_preprocess(O, DO, Delta, so, sd, N_CTX, BLOCK_M: tl.constexpr, D: tl.constexpr, HEAD_DIM: tl.constexpr):
    off_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    off_h, off_b = tl.program_id(1), tl.program_id(2)
    off_n = tl.arange(0, HEAD_DIM)
    mask = (off_m[:, None] < N_CTX) & (off_n[None, :] < D)
    o = tl.load(O + off_b * so[0] + off_h * so[1] + off_m[:, None] * so[2] + off_n[None, :] * so[3], mask=mask, other=0.0)
    do = tl.load(DO + off_b * sd[0] + off_h * sd[1] + off_m[:, None] * sd[2] + off_n[None, :] * sd[3], mask=mask, other=0.0)
    delta = tl.sum(o.to(tl.float32) * do.to(tl.float32), axis=1)
    tl.store(Delta + (off_b * tl.num_programs(1) + off_h) * N_CTX + off_m, delta, mask=off_m < N_CTX)


@triton.jit
def _load(X, s, off_b, off_h, rows, cols, N_CTX, D: tl.constexpr):
    mask = (rows[:, None] < N_CTX) & (cols[None, :] < D)
    return tl.load(X + off_b * s[0] + off_h * s[1] + rows[:, None] * s[2] + cols[None, :] * s[3], mask=mask, other=0.0)


@triton.jit
def _attn_bwd(
    DO, Q, K, V, DQ, DK, DV, M, Delta, sdo, sq, sk, sv, sm, sm_scale, N_CTX,
    CAUSAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, D: tl.constexpr, HEAD_DIM: tl.constexpr,
):
    pid, off_h, off_b = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    bh = off_b * tl.num_programs(1) + off_h
    cols = tl.arange(0, HEAD_DIM)

    offs_n = pid * BLOCK_N + tl.arange(0, BLOCK_N)
    k = _load(K, sk, off_b, off_h, offs_n, cols, N_CTX, D)
    v = _load(V, sv, off_b, off_h, offs_n, cols, N_CTX, D)
    dk = tl.zeros([BLOCK_N, HEAD_DIM], dtype=tl.float32)
    dv = tl.zeros([BLOCK_N, HEAD_DIM], dtype=tl.float32)
    for start_m in range(pid * BLOCK_N if CAUSAL else 0, N_CTX, BLOCK_M):
        offs_m = start_m + tl.arange(0, BLOCK_M)
        q = _load(Q, sq, off_b, off_h, offs_m, cols, N_CTX, D)
        do = _load(DO, sdo, off_b, off_h, offs_m, cols, N_CTX, D)
        m = tl.load(M + off_b * sm[0] + off_h * sm[1] + offs_m * sm[2], mask=offs_m < N_CTX, other=0.0) * LOG2E
        Di = tl.load(Delta + bh * N_CTX + offs_m, mask=offs_m < N_CTX, other=0.0)
        qkT = tl.dot(k, tl.trans(q), input_precision="ieee") * (sm_scale * LOG2E)
        pT = tl.math.exp2(qkT - m[None, :])
        if CAUSAL:
            pT = tl.where(offs_m[None, :] >= offs_n[:, None], pT, 0.0)
        pT = tl.where(offs_n[:, None] < N_CTX, pT, 0.0)
        dv += tl.dot(pT.to(do.dtype), do, input_precision="ieee")
        dpT = tl.dot(v, tl.trans(do), input_precision="ieee")
        dsT = pT * (dpT - Di[None, :])
        dk += tl.dot(dsT.to(q.dtype), q, input_precision="ieee")
    out = (bh * N_CTX + offs_n[:, None]) * D + cols[None, :]
    mask = (offs_n[:, None] < N_CTX) & (cols[None, :] < D)
    tl.store(DK + out, dk * sm_scale, mask=mask)
    tl.store(DV + out, dv, mask=mask)

    offs_m = pid * BLOCK_N + tl.arange(0, BLOCK_N)
    q = _load(Q, sq, off_b, off_h, offs_m, cols, N_CTX, D)
    do = _load(DO, sdo, off_b, off_h, offs_m, cols, N_CTX, D)
    m = tl.load(M + off_b * sm[0] + off_h * sm[1] + offs_m * sm[2], mask=offs_m < N_CTX, other=0.0)[:, None] * LOG2E
    Di = tl.load(Delta + bh * N_CTX + offs_m, mask=offs_m < N_CTX, other=0.0)
    dq = tl.zeros([BLOCK_N, HEAD_DIM], dtype=tl.float32)
    hi = tl.minimum((pid + 1) * BLOCK_N, N_CTX) if CAUSAL else N_CTX
    for start_n in range(0, hi, BLOCK_M):
        curr_n = start_n + tl.arange(0, BLOCK_M)
        curr_k = _load(K, sk, off_b, off_h, curr_n, cols, N_CTX, D)
        curr_v = _load(V, sv, off_b, off_h, curr_n, cols, N_CTX, D)
        p = tl.math.exp2(tl.dot(q, tl.trans(curr_k), input_precision="ieee") * (sm_scale * LOG2E) - m)
        visible = curr_n[None, :] < N_CTX
        if CAUSAL:
            visible &= offs_m[:, None] >= curr_n[None, :]
        p = tl.where(visible, p, 0.0)
        dp = tl.dot(do, tl.trans(curr_v), input_precision="ieee")
        ds = p * (dp - Di[:, None])
        dq += tl.dot(ds.to(curr_k.dtype), curr_k, input_precision="ieee")
    tl.store(DQ + (bh * N_CTX + offs_m[:, None]) * D + cols[None, :], dq * sm_scale, mask=(offs_m[:, None] < N_CTX) & (cols[None, :] < D))


def flash_attention_backward(do, q, k, v, o, lse, causal=False):
    BATCH, N_HEAD, N_CTX, D = q.shape
    dq, dk, dv = (torch.empty(q.shape, dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty(lse.shape, dtype=torch.float32, device=q.device)
    HEAD_DIM = triton.next_power_of_2(D)
    BLOCK_M, BLOCK_N = 32, 64
    _attn_bwd_preprocess[(triton.cdiv(N_CTX, BLOCK_N), N_HEAD, BATCH)](
        o, do, delta, o.stride(), do.stride(), N_CTX, BLOCK_M=BLOCK_N, D=D, HEAD_DIM=HEAD_DIM
    )
    _attn_bwd[(triton.cdiv(N_CTX, BLOCK_N), N_HEAD, BATCH)](
        do, q, k, v, dq, dk, dv, lse, delta, do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), D**-0.5, N_CTX,
        CAUSAL=causal, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N, D=D, HEAD_DIM=HEAD_DIM, num_warps=8, num_stages=2,
    )
    return dq, dk, dv
