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

    # BLANK keys_of_split
    size = tl.cdiv(t, splits)
    first_key = split * size
    last_key = tl.minimum(first_key + size, t)  # if that is less than first_key, the split is empty
    # END

    peak = -float("inf")  # of the keys seen so far the largest score,
    total = 0.0  # the sum of exp(score - peak)
    o = tl.zeros([BLOCK_D], tl.float32)  # and the sum of exp(score - peak) * v
    for first in tl.range(first_key, last_key, BLOCK_K, num_stages=3):
        key = first + tl.arange(0, BLOCK_K)  # (BLOCK_K,)
        visible = key < last_key
        k = tl.load(k_ptr + key[:, None].to(tl.int64) * k_t, mask=visible[:, None] & inside[None, :], other=0.0)
        v = tl.load(v_ptr + key[:, None].to(tl.int64) * v_t, mask=visible[:, None] & inside[None, :], other=0.0)

        # BLANK update
        score = tl.sum(q[None, :] * k, axis=1) * scale  # (BLOCK_K,)
        score = tl.where(visible, score, -float("inf"))
        new_peak = tl.maximum(peak, tl.max(score, axis=0))
        weight = tl.exp(score - new_peak)  # (BLOCK_K,)
        shrink = tl.exp(peak - new_peak)
        total = total * shrink + tl.sum(weight, axis=0)
        o = o * shrink + tl.sum(weight[:, None] * v, axis=0)
        peak = new_peak
        # END

    # BLANK store_part
    place = (batch * tl.num_programs(1) + head) * splits + split
    part = o / tl.where(total > 0, total, 1.0)  # of an empty split 0, not 0 / 0
    tl.store(part_ptr + place * d + dim, part, mask=inside)
    tl.store(lse_ptr + place, peak + tl.log(total))  # of an empty split -inf
    # END


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

    # BLANK combine
    weight = tl.exp(lse - tl.max(lse, axis=0))  # (BLOCK_S,), proportional to the sum of all exp(score) of the split
    o = tl.sum(weight[:, None] * part, axis=0) / tl.sum(weight, axis=0)  # (BLOCK_D,)
    # END

    tl.store(o_ptr + head * d + dim, o, mask=inside)


def flash_decoding(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, splits: int) -> torch.Tensor:
    """q [b, h, d], k and v [b, h, t, d] -> softmax(k q / √d) v, [b, h, d], by b · h · splits programs."""
    b, h, t, d = k.shape
    BLOCK_D = triton.next_power_of_2(d)
    BLOCK_K = 32 if BLOCK_D > 32 else 64

    # BLANK launch
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)
    # END

    return o
