"""tl.dot without a precision: a GPU reads ten bits of each float32.

Verdict: failed, value
"""

import torch
import triton
import triton.language as tl


@triton.jit
def attention_kernel(
    o_ptr, q_ptr, k_ptr, v_ptr,
    q_b, q_h, q_t, q_d,  # strides of q over batch, head, time and dimension
    k_b, k_h, k_t, k_d,
    v_b, v_h, v_t, v_d,
    t, scale, d: tl.constexpr, CAUSAL: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """One program computes BLOCK_Q rows of one head, against BLOCK_K keys at a time."""
    first_row = tl.program_id(0) * BLOCK_Q
    head, batch = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)  # offsets may pass 2**31 elements
    row = first_row + tl.arange(0, BLOCK_Q)  # (BLOCK_Q,)
    step = tl.arange(0, BLOCK_K)  # (BLOCK_K,)
    dim = tl.arange(0, BLOCK_D)  # (BLOCK_D,), a power of two, at least d

    q_ptr += batch * q_b + head * q_h
    k_ptr += batch * k_b + head * k_h
    v_ptr += batch * v_b + head * v_h
    q_offset = row[:, None].to(tl.int64) * q_t + dim[None, :] * q_d
    q = tl.load(q_ptr + q_offset, mask=(row[:, None] < t) & (dim[None, :] < d), other=0.0)  # (BLOCK_Q, BLOCK_D)

    last_key = tl.minimum(t, first_row + BLOCK_Q) if CAUSAL else t  # no row sees a key behind its own time
    # of the keys seen so far, for each row:
    peak = tl.full([BLOCK_Q], -float("inf"), tl.float32)  # the largest score
    total = tl.zeros([BLOCK_Q], tl.float32)  # the sum of exp(score - peak)
    o = tl.zeros([BLOCK_Q, BLOCK_D], tl.float32)  # the sum of exp(score - peak) * v

    for first_key in range(0, last_key, BLOCK_K):
        key = first_key + step  # (BLOCK_K,)

        k_inside = (key[None, :] < t) & (dim[:, None] < d)
        k = tl.load(k_ptr + step[None, :] * k_t + dim[:, None] * k_d, mask=k_inside, other=0.0)  # (BLOCK_D, BLOCK_K)
        v_inside = (key[:, None] < t) & (dim[None, :] < d)
        v = tl.load(v_ptr + step[:, None] * v_t + dim[None, :] * v_d, mask=v_inside, other=0.0)  # (BLOCK_K, BLOCK_D)

        score = tl.dot(q, k) * scale  # (BLOCK_Q, BLOCK_K)
        visible = key[None, :] < t
        if CAUSAL:
            visible &= key[None, :] <= row[:, None]
        score = tl.where(visible, score, -float("inf"))

        new_peak = tl.maximum(peak, tl.max(score, axis=1))  # (BLOCK_Q,)
        weight = tl.exp(score - new_peak[:, None])  # (BLOCK_Q, BLOCK_K)
        shrink = tl.exp(peak - new_peak)  # (BLOCK_Q,): the sums so far were taken under the old peak
        total = total * shrink + tl.sum(weight, axis=1)
        o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None])
        peak = new_peak

        k_ptr += BLOCK_K * k_t
        v_ptr += BLOCK_K * v_t

    o = o / total[:, None]  # (BLOCK_Q, BLOCK_D)
    o_ptr += (batch * tl.num_programs(1) + head) * t * d
    o_offset = row[:, None].to(tl.int64) * d + dim[None, :]
    tl.store(o_ptr + o_offset, o, mask=(row[:, None] < t) & (dim[None, :] < d))


def flash_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """q, k, v [b, h, t, d] -> softmax(q kᵀ / √d) v, [b, h, t, d], without a [t, t] tensor in memory."""
    b, h, t, d = q.shape
    BLOCK_Q, BLOCK_K = 64, 32

    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
        num_warps=8 if q.dtype == torch.float32 else 4,  # float32 takes twice the registers: over twice the threads
        num_stages=2,
    )  # fmt: skip

    return o
