"""@triton.autotune with several tiles, heuristics that drop the masks where t and d fit, batch and head from one index."""

import torch
import triton
import triton.language as tl

configs = [
    triton.Config({"BLOCK_M": bm, "BLOCK_N": bn}, num_stages=s, num_warps=w)
    for bm in [32, 64]
    for bn in [32, 64]
    for s in [2, 3]
    for w in [4, 8]
]


def keep(conf):
    return conf.kwargs["BLOCK_M"] * conf.kwargs["BLOCK_N"] >= 32 * 32 or conf.num_warps != 8


@triton.autotune(list(filter(keep, configs)), key=["SEQ", "DIM", "IS_CAUSAL"])
@triton.heuristics(
    {
        "EVEN_N": lambda args: args["SEQ"] % args["BLOCK_N"] == 0,
        "EVEN_D": lambda args: args["DIM"] == args["BLOCK_D"],
    }
)
@triton.jit
def _fwd_kernel(
    Q, K, V, Out, softmax_scale,
    stride_qb, stride_qh, stride_qm, stride_qd,
    stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd,
    stride_ob, stride_oh, stride_om, stride_od,
    HEADS, SEQ, DIM,
    IS_CAUSAL: tl.constexpr, BLOCK_D: tl.constexpr, EVEN_N: tl.constexpr, EVEN_D: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):
    start_m = tl.program_id(0)
    off_hb = tl.program_id(1)
    off_b = off_hb // HEADS
    off_h = off_hb - off_b * HEADS
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, BLOCK_D)
    q_ptrs = Q + off_b * stride_qb + off_h * stride_qh + (offs_m[:, None] * stride_qm + offs_d[None, :] * stride_qd)
    k_ptrs = K + off_b * stride_kb + off_h * stride_kh + (offs_n[:, None] * stride_kn + offs_d[None, :] * stride_kd)
    v_ptrs = V + off_b * stride_vb + off_h * stride_vh + (offs_n[:, None] * stride_vn + offs_d[None, :] * stride_vd)
    m_i = tl.zeros([BLOCK_M], dtype=tl.float32) - float("inf")
    l_i = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc_o = tl.zeros([BLOCK_M, BLOCK_D], dtype=tl.float32)
    # q stays in SRAM throughout
    q = tl.load(q_ptrs, mask=(offs_m[:, None] < SEQ) & (offs_d[None, :] < DIM), other=0.0)
    end_n = SEQ if not IS_CAUSAL else tl.minimum((start_m + 1) * BLOCK_M, SEQ)
    for start_n in range(0, end_n, BLOCK_N):
        start_n = tl.multiple_of(start_n, BLOCK_N)
        if EVEN_N and EVEN_D:
            k = tl.load(k_ptrs + start_n * stride_kn)
            v = tl.load(v_ptrs + start_n * stride_vn)
        else:
            inside = ((start_n + offs_n)[:, None] < SEQ) & (offs_d[None, :] < DIM)
            k = tl.load(k_ptrs + start_n * stride_kn, mask=inside, other=0.0)
            v = tl.load(v_ptrs + start_n * stride_vn, mask=inside, other=0.0)
        qk = tl.zeros([BLOCK_M, BLOCK_N], dtype=tl.float32)
        qk += tl.dot(q, tl.trans(k), input_precision="ieee")
        if not EVEN_N:
            qk += tl.where((start_n + offs_n)[None, :] < SEQ, 0, float("-inf"))
        if IS_CAUSAL:
            qk += tl.where(offs_m[:, None] >= (start_n + offs_n)[None, :], 0, float("-inf"))
        m_ij = tl.maximum(tl.max(qk, 1) * softmax_scale, m_i)
        p = tl.exp(qk * softmax_scale - m_ij[:, None])
        acc_o_scale = tl.exp(m_i - m_ij)
        acc_o = acc_o * acc_o_scale[:, None]
        acc_o += tl.dot(p.to(v.dtype), v, input_precision="ieee")
        l_i = l_i * acc_o_scale + tl.sum(p, 1)
        m_i = m_ij
    acc_o = acc_o * (1.0 / l_i)[:, None]
    out_ptrs = Out + off_b * stride_ob + off_h * stride_oh + (offs_m[:, None] * stride_om + offs_d[None, :] * stride_od)
    tl.store(out_ptrs, acc_o, mask=(offs_m[:, None] < SEQ) & (offs_d[None, :] < DIM))


def flash_attention(q, k, v, causal=False):
    batch, nheads, seqlen, d = q.shape
    assert k.shape == v.shape == q.shape
    assert q.dtype == k.dtype == v.dtype, "All tensors must have the same type"
    o = torch.zeros_like(q)
    grid = lambda META: (triton.cdiv(seqlen, META["BLOCK_M"]), batch * nheads)
    _fwd_kernel[grid](
        q, k, v, o, d**-0.5, *q.stride(), *k.stride(), *v.stride(), *o.stride(),
        nheads, seqlen, d, IS_CAUSAL=causal, BLOCK_D=max(triton.next_power_of_2(d), 16),
    )
    return o
