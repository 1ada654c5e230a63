"""Block pointers and tl.advance; the keys transposed by their strides; scale applied to q in float32."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    q_ptr, k_ptr, v_ptr, o_ptr, heads, t, d, scale,
    qb, qh, qt, qd, kb, kh, kt, kd, vb, vh, vt, vd, ob, oh, ot, od,
    CAUSAL: tl.constexpr, M: tl.constexpr, N: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    z = tl.program_id(1)
    b, h = z // heads, z % heads
    start = tl.program_id(0) * M
    q_block = tl.make_block_ptr(q_ptr + b * qb + h * qh, (t, d), (qt, qd), (start, 0), (M, D), (1, 0))
    k_block = tl.make_block_ptr(k_ptr + b * kb + h * kh, (d, t), (kd, kt), (0, 0), (D, N), (0, 1))
    v_block = tl.make_block_ptr(v_ptr + b * vb + h * vh, (t, d), (vt, vd), (0, 0), (N, D), (1, 0))
    q = tl.load(q_block, boundary_check=(0, 1), padding_option="zero")
    peak = tl.full([M], -float("inf"), tl.float32)
    total = tl.zeros([M], tl.float32)
    acc = tl.zeros([M, D], tl.float32)
    row = start + tl.arange(0, M)
    end = tl.minimum(t, start + M) if CAUSAL else t
    for first in range(0, end, N):
        k = tl.load(k_block, boundary_check=(0, 1), padding_option="zero")
        v = tl.load(v_block, boundary_check=(0, 1), padding_option="zero")
        s = tl.dot(q, k, input_precision="ieee") * scale
        col = first + tl.arange(0, N)
        s = tl.where(col[None, :] < t, s, -float("inf"))
        if CAUSAL:
            s = tl.where(col[None, :] <= row[:, None], s, -float("inf"))
        new = tl.maximum(peak, tl.max(s, 1))
        p = tl.exp(s - new[:, None])
        shrink = tl.exp(peak - new)
        total = total * shrink + tl.sum(p, 1)
        acc = acc * shrink[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
        peak = new
        k_block = tl.advance(k_block, (0, N))
        v_block = tl.advance(v_block, (N, 0))
    o_block = tl.make_block_ptr(o_ptr + b * ob + h * oh, (t, d), (ot, od), (start, 0), (M, D), (1, 0))
    tl.store(o_block, (acc / total[:, None]).to(o_ptr.dtype.element_ty), boundary_check=(0, 1))


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    strides = [s for tensor in (q, k, v, o) for s in tensor.stride()]
    M, N = (64, 32) if d <= 64 else (32, 32)
    kernel[(triton.cdiv(t, M), b * h)](
        q, k, v, o, h, t, d, d**-0.5, *strides, CAUSAL=bool(causal), M=M, N=N, D=triton.next_power_of_2(d)
    )
    return o
