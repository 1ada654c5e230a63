"""Algorithm 1 of FlashAttention-2 line by line, all strides passed, three-dimensional grid."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def flash_fwd_kernel(
    Q_ptr, K_ptr, V_ptr, O_ptr,
    stride_qb, stride_qh, stride_qt, stride_qd,
    stride_kb, stride_kh, stride_kt, stride_kd,
    stride_vb, stride_vh, stride_vt, stride_vd,
    stride_ob, stride_oh, stride_ot, stride_od,
    T, D, scale,
    IS_CAUSAL: tl.constexpr,
    B_R: tl.constexpr, B_C: tl.constexpr, B_D: tl.constexpr,
):
    i = tl.program_id(0)
    h = tl.program_id(1)
    b = tl.program_id(2)

    rows = i * B_R + tl.arange(0, B_R)
    dims = tl.arange(0, B_D)
    q_ptrs = Q_ptr + b * stride_qb + h * stride_qh + rows[:, None] * stride_qt + dims[None, :] * stride_qd
    q_mask = (rows[:, None] < T) & (dims[None, :] < D)
    Q_i = tl.load(q_ptrs, mask=q_mask, other=0.0)

    O_i = tl.zeros((B_R, B_D), dtype=tl.float32)
    l_i = tl.zeros((B_R,), dtype=tl.float32)
    m_i = tl.full((B_R,), float("-inf"), dtype=tl.float32)

    for j in range(0, tl.cdiv(T, B_C)):
        cols = j * B_C + tl.arange(0, B_C)
        kv_mask = (cols[:, None] < T) & (dims[None, :] < D)
        K_j = tl.load(
            K_ptr + b * stride_kb + h * stride_kh + cols[:, None] * stride_kt + dims[None, :] * stride_kd,
            mask=kv_mask, other=0.0,
        )
        V_j = tl.load(
            V_ptr + b * stride_vb + h * stride_vh + cols[:, None] * stride_vt + dims[None, :] * stride_vd,
            mask=kv_mask, other=0.0,
        )
        S_ij = tl.dot(Q_i, tl.trans(K_j), input_precision="ieee") * scale
        visible = cols[None, :] < T
        if IS_CAUSAL:
            visible = visible & (rows[:, None] >= cols[None, :])
        S_ij = tl.where(visible, S_ij, float("-inf"))

        m_new = tl.maximum(m_i, tl.max(S_ij, axis=1))
        P_ij = tl.exp(S_ij - m_new[:, None])
        alpha = tl.exp(m_i - m_new)
        l_i = alpha * l_i + tl.sum(P_ij, axis=1)
        O_i = alpha[:, None] * O_i
        O_i = tl.dot(P_ij.to(V_j.dtype), V_j, acc=O_i, input_precision="ieee")
        m_i = m_new

    O_i = O_i / l_i[:, None]
    o_ptrs = O_ptr + b * stride_ob + h * stride_oh + rows[:, None] * stride_ot + dims[None, :] * stride_od
    tl.store(o_ptrs, O_i.to(O_ptr.type.element_ty), mask=q_mask)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty_like(q)
    B_R, B_C = 32, 32
    grid = (triton.cdiv(t, B_R), h, b)
    flash_fwd_kernel[grid](
        q, k, v, o,
        *q.stride(), *k.stride(), *v.stride(), *o.stride(),
        t, d, 1.0 / math.sqrt(d),
        IS_CAUSAL=causal, B_R=B_R, B_C=B_C, B_D=triton.next_power_of_2(d),
    )
    return o
