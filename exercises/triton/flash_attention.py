"""FlashAttention forward kernel

Exact attention whose t × t scores never reach memory: write a Triton kernel, and the
function that launches it. For every sequence and head

    o = softmax(q kᵀ / √d) v      if causal, row i over the keys 0 … i only

A program has a block of queries and walks over the keys, one block after the other. The
softmax of a row needs a maximum and a sum over all of its keys. Of those seen so far it
keeps peak, total and o; from the scores s of a block of keys j come

    new   = max(peak, max_j s_j)
    total = total · exp(peak - new) + Σ_j exp(s_j - new)
    o     = o · exp(peak - new) + Σ_j exp(s_j - new) v_j

and new is the next peak. At the end, the result is o / total.

q, k, v  [b, h, t, d], all finite, of one dtype: float32, float16 or bfloat16; t ≥ 1 and
         16 ≤ d ≤ 128, any numbers; strides any, each its own; must not be changed
result   [b, h, t, d], a new tensor of this dtype

State and exponentials are float32. exp(s - new) may be rounded to the dtype of v before
it multiplies v. Both products are those of tl.dot on the dtype of the inputs, in half
precision by tensor cores; those of float32 stay float32 (input_precision="ieee"). The
host allocates and launches: no product, attention, softmax or t × t tensor there. How
many keys make a block is your choice, even all of them; tl.softmax is not to be used.

Source: Dao 2023, FlashAttention-2, arXiv:2307.08691, §3.1.1 and Algorithm 1; Dao et al. 2022, arXiv:2205.14135
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

    # TODO (5 lines): `last_key`, the end of the loop; before it `peak`, `total` (BLOCK_Q,) and `o` (BLOCK_Q, BLOCK_D)
    raise NotImplementedError("start")

    for first_key in range(0, last_key, BLOCK_K):
        key = first_key + step  # (BLOCK_K,)

        k_inside = (key[None, :] < t) & (dim[:, None] < d)
        k = tl.load(k_ptr + step[None, :] * k_t + dim[:, None] * k_d, mask=k_inside, other=0.0)  # (BLOCK_D, BLOCK_K)
        v_inside = (key[:, None] < t) & (dim[None, :] < d)
        v = tl.load(v_ptr + step[:, None] * v_t + dim[None, :] * v_d, mask=v_inside, other=0.0)  # (BLOCK_K, BLOCK_D)

        # TODO (5 lines): `score` (BLOCK_Q, BLOCK_K): scaled, and -inf where the row must not see the key
        raise NotImplementedError("scores")

        # TODO (6 lines): fold this block of keys and values into `peak`, `total` and `o`
        raise NotImplementedError("update")

        k_ptr += BLOCK_K * k_t
        v_ptr += BLOCK_K * v_t

    # TODO (4 lines): finish `o` and write it to its rows of o, which is contiguous
    raise NotImplementedError("epilogue")


def flash_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """q, k, v [b, h, t, d] -> softmax(q kᵀ / √d) v, [b, h, t, d], without a [t, t] tensor in memory."""
    b, h, t, d = q.shape
    BLOCK_Q, BLOCK_K = 64, 32

    # TODO (7 lines): `o`, a new tensor; let the kernel fill it: one program per block of queries, head and sequence
    raise NotImplementedError("launch")

    return o
