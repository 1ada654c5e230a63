"""Triton's tutorial 06: an inner helper called for full blocks and for the diagonal, exp2, batch and head on one axis."""

import torch
import triton
import triton.language as tl


@triton.jit
def _attn_fwd_inner(acc, l_i, m_i, q, k_ptr, v_ptr, stride_kn, stride_kd, stride_vn, stride_vd, lo, hi, N_CTX, D,
                    qk_scale, offs_m, MASK: tl.constexpr, CAUSAL: tl.constexpr,
                    BLOCK_N: tl.constexpr, HEAD_DIM: tl.constexpr):
    offs_d = tl.arange(0, HEAD_DIM)
    for start_n in tl.range(lo, hi, BLOCK_N):
        start_n = tl.multiple_of(start_n, BLOCK_N)
        offs_n = start_n + tl.arange(0, BLOCK_N)
        # -- compute qk ----
        k = tl.load(k_ptr + offs_n[None, :] * stride_kn + offs_d[:, None] * stride_kd,
                    mask=(offs_n[None, :] < N_CTX) & (offs_d[:, None] < D), other=0.0)
        qk = tl.dot(q, k, input_precision="ieee") * qk_scale
        if MASK:
            keep = offs_n[None, :] < N_CTX
            if CAUSAL:
                keep = keep & (offs_m[:, None] >= offs_n[None, :])
            qk = tl.where(keep, qk, -float("inf"))
        m_ij = tl.maximum(m_i, tl.max(qk, 1))
        p = tl.math.exp2(qk - m_ij[:, None])
        # -- compute correction factor
        alpha = tl.math.exp2(m_i - m_ij)
        l_ij = tl.sum(p, 1)
        # -- update output accumulator --
        acc = acc * alpha[:, None]
        # prepare p and v for the dot
        v = tl.load(v_ptr + offs_n[:, None] * stride_vn + offs_d[None, :] * stride_vd,
                    mask=(offs_n[:, None] < N_CTX) & (offs_d[None, :] < D), other=0.0)
        p = p.to(v.dtype)
        acc = tl.dot(p, v, acc, input_precision="ieee")
        # update m_i and l_i
        l_i = l_i * alpha + l_ij
        m_i = m_ij
    return acc, l_i, m_i


@triton.jit
def _attn_fwd(Q, K, V, Out, sm_scale,
              stride_qz, stride_qh, stride_qm, stride_qd,
              stride_kz, stride_kh, stride_kn, stride_kd,
              stride_vz, stride_vh, stride_vn, stride_vd,
              stride_oz, stride_oh, stride_om, stride_od,
              H, N_CTX, D,
              HEAD_DIM: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, STAGE: tl.constexpr):
    tl.static_assert(BLOCK_N <= BLOCK_M)
    start_m = tl.program_id(0)
    off_hz = tl.program_id(1)
    off_z = off_hz // H
    off_h = off_hz % H
    K += off_z.to(tl.int64) * stride_kz + off_h.to(tl.int64) * stride_kh
    V += off_z.to(tl.int64) * stride_vz + off_h.to(tl.int64) * stride_vh
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_d = tl.arange(0, HEAD_DIM)
    inside = (offs_m[:, None] < N_CTX) & (offs_d[None, :] < D)
    q = tl.load(Q + off_z.to(tl.int64) * stride_qz + off_h.to(tl.int64) * stride_qh
                + offs_m[:, None] * stride_qm + offs_d[None, :] * stride_qd, mask=inside, other=0.0)
    # initialize pointer to m and l
    m_i = tl.zeros([BLOCK_M], dtype=tl.float32) - float("inf")
    l_i = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc = tl.zeros([BLOCK_M, HEAD_DIM], dtype=tl.float32)
    # load scales
    qk_scale = sm_scale
    qk_scale *= 1.44269504  # 1/log(2)
    if STAGE == 3:
        # stage 1: off-band, no mask at all; stage 2: on-band
        band = start_m * BLOCK_M
        acc, l_i, m_i = _attn_fwd_inner(acc, l_i, m_i, q, K, V, stride_kn, stride_kd, stride_vn, stride_vd,
                                        0, band, N_CTX, D, qk_scale, offs_m, False, False, BLOCK_N, HEAD_DIM)
        acc, l_i, m_i = _attn_fwd_inner(acc, l_i, m_i, q, K, V, stride_kn, stride_kd, stride_vn, stride_vd,
                                        band, tl.minimum(band + BLOCK_M, N_CTX), N_CTX, D, qk_scale, offs_m, True, True,
                                        BLOCK_N, HEAD_DIM)
    else:
        full = N_CTX // BLOCK_N * BLOCK_N
        acc, l_i, m_i = _attn_fwd_inner(acc, l_i, m_i, q, K, V, stride_kn, stride_kd, stride_vn, stride_vd,
                                        0, full, N_CTX, D, qk_scale, offs_m, False, False, BLOCK_N, HEAD_DIM)
        acc, l_i, m_i = _attn_fwd_inner(acc, l_i, m_i, q, K, V, stride_kn, stride_kd, stride_vn, stride_vd,
                                        full, N_CTX, N_CTX, D, qk_scale, offs_m, True, False, BLOCK_N, HEAD_DIM)
    # epilogue
    acc = acc / l_i[:, None]
    tl.store(Out + off_z.to(tl.int64) * stride_oz + off_h.to(tl.int64) * stride_oh
             + offs_m[:, None] * stride_om + offs_d[None, :] * stride_od, acc.to(Out.type.element_ty), mask=inside)


class _attention(torch.autograd.Function):

    @staticmethod
    def forward(ctx, q, k, v, causal, sm_scale):
        HEAD_DIM_Q, HEAD_DIM_K = q.shape[-1], k.shape[-1]
        assert HEAD_DIM_Q == HEAD_DIM_K
        o = torch.empty_like(q)
        stage = 3 if causal else 1
        grid = lambda META: (triton.cdiv(q.shape[2], META["BLOCK_M"]), q.shape[0] * q.shape[1], 1)
        _attn_fwd[grid](
            q, k, v, o, sm_scale,
            *q.stride(), *k.stride(), *v.stride(), *o.stride(),
            q.shape[1], q.shape[2], HEAD_DIM_Q,
            HEAD_DIM=max(16, triton.next_power_of_2(HEAD_DIM_Q)), BLOCK_M=64, BLOCK_N=32, STAGE=stage,
            num_warps=4, num_stages=3)
        return o


attention = _attention.apply


def flash_attention(q, k, v, causal=False):
    return attention(q, k, v, causal, q.shape[-1] ** -0.5)
