"""Each program takes one block of keys and adds to what the programs before it left in memory, as if they ran in order.

Verdict: failed, raised
"""

import torch
import triton
import triton.language as tl


@triton.jit
def attention_kernel(
    o_ptr, peak_ptr, total_ptr, q_ptr, k_ptr, v_ptr,
    q_b, q_h, q_t, q_d, k_b, k_h, k_t, k_d, v_b, v_h, v_t, v_d,
    t, heads, scale, d: tl.constexpr, CAUSAL: tl.constexpr,
    BLOCK: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    step = tl.program_id(2)
    row = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    key = step * BLOCK + tl.arange(0, BLOCK)
    dim = tl.arange(0, BLOCK_D)
    pair = tl.program_id(1)
    batch, head = pair // heads, pair % heads
    rows, dims = row[:, None] < t, dim[None, :] < d
    q = tl.load(q_ptr + batch * q_b + head * q_h + row[:, None] * q_t + dim[None, :] * q_d, mask=rows & dims, other=0.0)
    k_ptr += batch * k_b + head * k_h
    v_ptr += batch * v_b + head * v_h
    k = tl.load(k_ptr + key[None, :] * k_t + dim[:, None] * k_d, mask=(key[None, :] < t) & (dim[:, None] < d), other=0.0)
    v = tl.load(v_ptr + key[:, None] * v_t + dim[None, :] * v_d, mask=(key[:, None] < t) & dims, other=0.0)
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, -float("inf"))
    line = pair * t + row
    place = o_ptr + line[:, None] * d + dim[None, :]
    peak = tl.load(peak_ptr + line, mask=row < t, other=0.0)
    total = tl.load(total_ptr + line, mask=row < t, other=1.0)
    o = tl.load(place, mask=rows & dims, other=0.0)
    new = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new[:, None])
    shrink = tl.exp(peak - new)
    total = total * shrink + tl.sum(weight, axis=1)
    o = o * shrink[:, None] + tl.dot(weight.to(v.dtype), v, input_precision="ieee")
    if step == tl.num_programs(2) - 1:
        o = o / total[:, None]
    tl.store(peak_ptr + line, new, mask=row < t)
    tl.store(total_ptr + line, total, mask=row < t)
    tl.store(place, o, mask=rows & dims)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.zeros((b, h, t, d), dtype=torch.float32)
    peak = torch.full((b * h * t,), -1e30, dtype=torch.float32)
    total = torch.zeros(b * h * t, dtype=torch.float32)
    blocks = triton.cdiv(t, 64)
    attention_kernel[(blocks, b * h, blocks)](
        o, peak, total, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, h, d**-0.5, d, causal,
        BLOCK=64, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip
    return o.to(q.dtype)
