import math
import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# batch, heads, time, dimension, splits. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "one split": (1, 2, 20, 16, 1),
    "one key": (1, 2, 1, 16, 1),
    "even splits of several heads": (2, 3, 36, 16, 4),
    "uneven splits": (1, 2, 37, 20, 5),
    "an empty split": (1, 2, 9, 16, 4),
    "more splits than keys": (1, 2, 3, 16, 7),
    "long splits": (1, 1, 301, 16, 3),
    "a dimension that is no power of two": (1, 1, 33, 100, 2),
}

# time, level, slope: key j scores about level + slope * j.
SCORES = {
    "rise": (210, 0, 10),
    "fall": (210, 0, -10),
    "are in the thousands": (40, 2e4, 0),
    "are far below zero": (40, -2e4, 0),
}


def draw(b, h, t, d, dtype=torch.float32):
    """q [b, h, d], k and v [b, h, t, d]; scores of about 3, so that no key has all the weight."""
    q, (k, v) = torch.randn(b, h, d), torch.randn(2, b, h, t, d)
    return q.to(dtype), (3 * k).to(dtype), v.to(dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_shape(check, case):
    *shape, splits = SHAPES[case]
    check("flash_decoding", *draw(*shape), splits)


@pytest.mark.parametrize("case", SCORES)
def test_scores_that(check, case):
    t, level, slope = SCORES[case]
    q, k, v = draw(1, 1, t, 16)
    q[..., 0] = math.sqrt(16)
    k[..., 0] = level + slope * torch.arange(t)
    check("flash_decoding", q, k, v, 3)


def test_scores_whose_exponentials_have_an_infinite_sum(check):
    """exp(88) is half of the largest float32: in a part of one key nothing overflows."""
    q, k, v = draw(1, 2, 7, 16)
    q[..., 0], k = math.sqrt(16), 0.01 * k
    k[..., 0] = 88
    check("flash_decoding", q, k, v.clamp(-1, 1), 7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(check, dtype):
    q, k, v = draw(1, 2, 40, 32, getattr(torch, dtype))
    check("flash_decoding", q, k / 3, v, 3)


def test_values_whose_sum_exceeds_float16(check):
    """Even weights: 40 values of 3000 make 120,000, yet their mean is 3000."""
    q, k, v = draw(1, 1, 80, 16)
    check("flash_decoding", (0.01 * q).half(), k.half(), (3000 + v).half(), 2)


def test_time_before_heads(check):
    """[b, t, h, d], as a cache may keep it, seen as [b, h, t, d]; q is a part of wider rows."""
    q, k, v = draw(2, 5, 7, 16)
    q = torch.cat([q, q], dim=-1)[..., :16]
    k, v = (each.transpose(1, 2).contiguous().transpose(1, 2) for each in (k, v))
    check("flash_decoding", q, k, v, 2)


def test_keys_and_values_laid_out_each_in_its_own_way(check):
    q, k, v = draw(2, 3, 16, 16)
    check("flash_decoding", q.transpose(0, 1).contiguous().transpose(0, 1), k.mT.contiguous().mT, v, 2)


def test_the_filled_part_of_a_longer_cache(check):
    q, k, v = draw(2, 2, 40, 16)
    check("flash_decoding", q, k[:, :, :23], v[:, :, :23], 3)


def test_costs(check):
    check.costs("flash_decoding(float16[2, 8, 128], float16[2, 8, 4096, 128], float16[2, 8, 4096, 128], 8)")


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    b, h, t, d = random.randint(1, 2), random.randint(4, 5), random.randint(17, 30), random.randint(17, 60)
    check("flash_decoding", *draw(b, h, t, d), random.randint(3, 6))
    check("flash_decoding", *draw(1, 2, random.randint(520, 640), random.randint(16, 24)), random.randint(2, 9))
    q, k, v = draw(b, h, t, d, random.choice([torch.float16, torch.bfloat16]))
    check("flash_decoding", q, k / 3, v, random.randint(3, 6))
    check("flash_decoding", *draw(h, b, t, random.randint(113, 128)), random.randint(1, 2))
    check("flash_decoding", *draw(1, 1, random.randint(90, 120), 16), random.randint(33, 60))


@reference("flash_decoding")
def definition(q, k, v, splits):
    return torch.nn.functional.scaled_dot_product_attention(q[:, :, None], k, v)[:, :, 0]


@mistake(blank="keys_of_split")
def leaves_out_last_keys(split, splits, t):
    size = t // splits
    first_key = split * size
    last_key = first_key + size


@mistake(blank="keys_of_split")
def runs_beyond_the_last_key(split, splits, t):
    size = tl.cdiv(t, splits)
    first_key = split * size
    last_key = first_key + size


@mistake(blank="keys_of_split")
def first_block_only(split, splits, t, BLOCK_K):
    first_key = split * tl.cdiv(t, splits)
    last_key = tl.minimum(first_key + tl.minimum(tl.cdiv(t, splits), BLOCK_K), t)


@mistake(blank="keys_of_split")
def every_split_takes_all_keys(t):
    first_key, last_key = 0, t


@mistake(blank="update")
def forgets_scale(q, k, v, visible, peak, total, o):
    score = tl.where(visible, tl.sum(q[None, :] * k, axis=1), -float("inf"))
    new_peak = tl.maximum(peak, tl.max(score, axis=0))
    weight = tl.exp(score - new_peak)
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=0)
    o = o * shrink + tl.sum(weight[:, None] * v, axis=0)
    peak = new_peak


@mistake(blank="update")
def padding_gets_weight(q, k, v, scale, peak, total, o):
    score = tl.sum(q[None, :] * k, axis=1) * scale
    new_peak = tl.maximum(peak, tl.max(score, axis=0))
    weight = tl.exp(score - new_peak)
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=0)
    o = o * shrink + tl.sum(weight[:, None] * v, axis=0)
    peak = new_peak


@mistake(blank="update")
def forgets_peak(q, k, v, scale, visible, total, o):
    score = tl.where(visible, tl.sum(q[None, :] * k, axis=1) * scale, -float("inf"))
    weight = tl.exp(score)
    total = total + tl.sum(weight, axis=0)
    o = o + tl.sum(weight[:, None] * v, axis=0)
    peak = 0.0


@mistake(blank="update")
def peak_of_this_block(q, k, v, scale, visible, peak, total, o):
    score = tl.where(visible, tl.sum(q[None, :] * k, axis=1) * scale, -float("inf"))
    new_peak = tl.max(score, axis=0)
    weight = tl.exp(score - new_peak)
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=0)
    o = o * shrink + tl.sum(weight[:, None] * v, axis=0)
    peak = new_peak


@mistake(blank="update")
def rescales_total_only(q, k, v, scale, visible, peak, total, o):
    score = tl.where(visible, tl.sum(q[None, :] * k, axis=1) * scale, -float("inf"))
    new_peak = tl.maximum(peak, tl.max(score, axis=0))
    weight = tl.exp(score - new_peak)
    total = total * tl.exp(peak - new_peak) + tl.sum(weight, axis=0)
    o = o + tl.sum(weight[:, None] * v, axis=0)
    peak = new_peak


@mistake(blank="update")
def sums_in_half(q, k, v, scale, visible, peak, total, o):
    score = tl.where(visible, tl.sum(q[None, :] * k, axis=1) * scale, -float("inf"))
    new_peak = tl.maximum(peak, tl.max(score, axis=0))
    weight = tl.exp(score - new_peak)
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=0)
    o = o * shrink + tl.sum((weight[:, None] * v).to(v.dtype), axis=0).to(v.dtype)
    peak = new_peak


@mistake(blank="store_part")
def empty_split_is_undefined(part_ptr, lse_ptr, batch, head, split, splits, dim, d, inside, peak, total, o):
    place = (batch * tl.num_programs(1) + head) * splits + split
    tl.store(part_ptr + place * d + dim, o / total, mask=inside)
    tl.store(lse_ptr + place, peak + tl.log(total))


@mistake(blank="store_part")
def stores_peak_for_lse(part_ptr, lse_ptr, batch, head, split, splits, dim, d, inside, peak, total, o):
    place = (batch * tl.num_programs(1) + head) * splits + split
    tl.store(part_ptr + place * d + dim, o / tl.where(total > 0, total, 1.0), mask=inside)
    tl.store(lse_ptr + place, peak)


@mistake(blank="store_part")
def stores_logarithm_without_peak(part_ptr, lse_ptr, batch, head, split, splits, dim, d, inside, total, o):
    place = (batch * tl.num_programs(1) + head) * splits + split
    tl.store(part_ptr + place * d + dim, o / tl.where(total > 0, total, 1.0), mask=inside)
    tl.store(lse_ptr + place, tl.log(total))


@mistake(blank="store_part")
def stores_sums_for_means(part_ptr, lse_ptr, batch, head, split, splits, dim, d, inside, peak, total, o):
    place = (batch * tl.num_programs(1) + head) * splits + split
    tl.store(part_ptr + place * d + dim, o, mask=inside)
    tl.store(lse_ptr + place, peak + tl.log(total))


@mistake(blank="store_part")
def swaps_batch_and_head(part_ptr, lse_ptr, batch, head, split, splits, dim, d, inside, peak, total, o):
    place = (head * tl.num_programs(2) + batch) * splits + split
    tl.store(part_ptr + place * d + dim, o / tl.where(total > 0, total, 1.0), mask=inside)
    tl.store(lse_ptr + place, peak + tl.log(total))


@mistake(blank="combine")
def averages_parts(part, splits):
    o = tl.sum(part, axis=0) / splits


@mistake(blank="combine")
def exponentials_overflow(lse, part):
    weight = tl.exp(lse)
    o = tl.sum(weight[:, None] * part, axis=0) / tl.sum(weight, axis=0)


@mistake(blank="combine")
def forgets_to_divide(lse, part):
    weight = tl.exp(lse - tl.max(lse, axis=0))
    o = tl.sum(weight[:, None] * part, axis=0)


@mistake(blank="combine")
def powers_of_two(lse, part):
    weight = tl.exp2(lse - tl.max(lse, axis=0))
    o = tl.sum(weight[:, None] * part, axis=0) / tl.sum(weight, axis=0)


@mistake(blank="combine")
def takes_best_part(lse, part):
    weight = tl.where(lse == tl.max(lse, axis=0), 1.0, 0.0)
    o = tl.sum(weight[:, None] * part, axis=0) / tl.sum(weight, axis=0)


@mistake(blank="launch")
def block_of_splits(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=splits, BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def strides_of_k_for_v(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *k.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def takes_all_for_contiguous(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    rows = (h * t * d, t * d, d, 1)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, h * d, d, 1, *rows, *rows, t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def result_laid_out_as_q(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty_like(q)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def a_split_for_every_block(q, k, v, b, h, t, d, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    splits = triton.cdiv(t, BLOCK_K)
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def a_block_for_the_whole_split(q, k, v, b, h, t, d, splits, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    size = triton.next_power_of_2(triton.cdiv(t, splits))
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=size, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def a_launch_per_sequence(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    for i in range(b):
        split_kernel[(splits, h, 1)](
            part[i], lse[i], q[i], k[i], v[i], *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d,
            BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D,
        )  # fmt: skip
        combine_kernel[(h,)](o[i], part[i], lse[i], splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)


@mistake(blank="launch")
def returns_float32(q, k, v, b, h, t, d, splits, BLOCK_K, BLOCK_D, split_kernel, combine_kernel):
    o = torch.empty((b, h, d), dtype=torch.float32, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits), dtype=torch.float32, device=q.device)
    split_kernel[(splits, h, b)](
        part, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, BLOCK_K=BLOCK_K, BLOCK_D=BLOCK_D
    )
    combine_kernel[(b * h,)](o, part, lse, splits, d, BLOCK_S=triton.next_power_of_2(splits), BLOCK_D=BLOCK_D)
