"""Flash-Decoding kernels

Attention of one new query per sequence to all the keys of a cache. A program per head
would leave most of a GPU idle, so the keys of a head are split among programs: write
the kernel that computes the parts, the one that joins them, and the function that
launches both. For every sequence and head

    o = Σ_j exp(s_j) v_j / Σ_j exp(s_j)      s_j = q · k_j / √d

Program i of `splits` takes one run of keys, J_i. As in FlashAttention it walks over
them block by block, with the largest score so far and two sums under it. It stores

    o_i   = the same quotient over J_i          lse_i = log Σ_j∈J_i exp(s_j)

A second launch joins the parts of each head: exp(lse_i) is what o_i was divided by, so

    o = Σ_i w_i o_i / Σ_i w_i                   w_i = exp(lse_i - max lse)

q        [b, h, d]                   float32, float16 or bfloat16, all of one dtype and
k, v     [b, h, t, d], t at least 1  finite; strides any, each its own; never changed
d        16 ≤ d ≤ 128, any number
splits   1 ≤ splits ≤ 128, any number; a part may get fewer keys than others, or none
result   [b, h, d], a new tensor of this dtype

Which keys a part gets is yours to choose. Keys and values are read once, and nothing as
long as t is stored. Scores, exponentials and parts are float32; exp(s - max) may be
rounded to the dtype of v before it multiplies v, and float32 stays float32 (in tl.dot:
input_precision="ieee"). The host allocates and launches; tl.softmax is not to be used.

Source: Dao, Haziza, Massa and Sizov 2023, Flash-Decoding, https://pytorch.org/blog/flash-decoding/
"""

import torch
import triton
import triton.language as tl


@triton.jit
def split_kernel(
    part_ptr, lse_ptr, q_ptr, k_ptr, v_ptr,
    q_b, q_h, q_d,  # strides of q over batch, head and dimension
    k_b, k_h, k_t, k_d,
    v_b, v_h, v_t, v_d,
    t, scale, d: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """One program computes the part of one split of one head: attention to its keys alone, and their log-sum-exp."""
    split, splits = tl.program_id(0), tl.num_programs(0)
    head, batch = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)  # offsets may pass 2**31 elements
    dim = tl.arange(0, BLOCK_D)  # (BLOCK_D,), a power of two, at least d
    inside = dim < d

    q = tl.load(q_ptr + batch * q_b + head * q_h + dim * q_d, mask=inside, other=0.0).to(tl.float32)  # (BLOCK_D,)
    k_ptr += batch * k_b + head * k_h + dim[None, :] * k_d
    v_ptr += batch * v_b + head * v_h + dim[None, :] * v_d

    # TODO (3 lines): `first_key` and `last_key`, which ends before it: the keys of part `split` of `splits`
    raise NotImplementedError("keys_of_split")

    peak = -float("inf")  # of the keys seen so far the largest score,
    total = 0.0  # the sum of exp(score - peak)
    o = tl.zeros([BLOCK_D], tl.float32)  # and the sum of exp(score - peak) * v
    for first in tl.range(first_key, last_key, BLOCK_K, num_stages=3):
        key = first + tl.arange(0, BLOCK_K)  # (BLOCK_K,)
        visible = key < last_key
        k = tl.load(k_ptr + key[:, None].to(tl.int64) * k_t, mask=visible[:, None] & inside[None, :], other=0.0)
        v = tl.load(v_ptr + key[:, None].to(tl.int64) * v_t, mask=visible[:, None] & inside[None, :], other=0.0)

        # TODO (8 lines): fold this block of keys and values into `peak`, `total` and `o`
        raise NotImplementedError("update")

    # TODO (4 lines): write the part to its place in part [b, h, splits, d] and its log-sum-exp to lse [b, h, splits]
    raise NotImplementedError("store_part")


@triton.jit
def combine_kernel(o_ptr, part_ptr, lse_ptr, splits, d: tl.constexpr, BLOCK_S: tl.constexpr, BLOCK_D: tl.constexpr):
    """One program computes one head of one sequence from its parts."""
    head = tl.program_id(0).to(tl.int64)  # of all sequences
    split = tl.arange(0, BLOCK_S)  # (BLOCK_S,), a power of two, at least splits
    dim = tl.arange(0, BLOCK_D)
    split_inside, inside = split < splits, dim < d
    place = head * splits + split
    lse = tl.load(lse_ptr + place, mask=split_inside, other=-float("inf"))  # (BLOCK_S,)
    part = tl.load(
        part_ptr + place[:, None] * d + dim[None, :], mask=split_inside[:, None] & inside[None, :], other=0.0
    )  # (BLOCK_S, BLOCK_D)

    # TODO (2 lines): `o` (BLOCK_D,) of the head, from `lse` (BLOCK_S,) and `part` (BLOCK_S, BLOCK_D)
    raise NotImplementedError("combine")

    tl.store(o_ptr + head * d + dim, o, mask=inside)


def flash_decoding(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, splits: int) -> torch.Tensor:
    """q [b, h, d], k and v [b, h, t, d] -> softmax(k q / √d) v, [b, h, d], by b · h · splits programs."""
    b, h, t, d = k.shape
    BLOCK_D = triton.next_power_of_2(d)
    BLOCK_K = 32 if BLOCK_D > 32 else 64

    # TODO (7 lines): `o`, a new tensor, and memory for the parts; launch one kernel after the other
    raise NotImplementedError("launch")

    return o
