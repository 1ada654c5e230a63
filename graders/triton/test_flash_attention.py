import math
import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# batch, heads, time, dimension. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "one token": (1, 2, 1, 64),
    "several heads and sequences": (2, 3, 5, 16),
    "ragged time": (1, 1, 70, 16),
    "a dimension that is no power of two": (1, 1, 33, 100),
    "whole blocks": (1, 1, 64, 32),
    "many blocks": (1, 1, 129, 16),
}

# time, level, slope, causal: key j scores about level + slope * j with every query.
SCORES = {
    "rise": (129, 0, 10, False),
    "fall": (65, 0, -10, False),
    "are in the thousands": (40, 2e4, 0, False),
    "are far below zero": (40, -2e4, 0, False),
    "are far below zero and causal": (40, -2e4, 0, True),
}


def draw(b, h, t, d, dtype=torch.float32):
    """q, k and v [b, h, t, d]; scores of about 3, so that each block has rows whose maximum rises."""
    q, k, v = torch.randn(3, b, h, t, d)
    return q.to(dtype), (3 * k).to(dtype), v.to(dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_full(check, case):
    check("flash_attention", *draw(*SHAPES[case]), False)


@pytest.mark.parametrize("case", SHAPES)
def test_causal(check, case):
    check("flash_attention", *draw(*SHAPES[case]), True)


def test_not_causal_by_default(check):
    check("flash_attention", *draw(1, 1, 5, 16))


@pytest.mark.parametrize("case", SCORES)
def test_scores_that(check, case):
    t, level, slope, causal = SCORES[case]
    q, k, v = draw(1, 1, t, 16)
    q[..., 0] = math.sqrt(16)
    k[..., 0] = level + slope * torch.arange(t)
    check("flash_attention", q, k, v, causal)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(check, dtype):
    q, k, v = draw(1, 1, 32, 32, getattr(torch, dtype))
    check("flash_attention", q, k / 3, v, True)


def test_values_whose_sum_exceeds_float16(check):
    """Even weights: 32 values of 3000 make 96,000, yet their mean is 3000."""
    q, k, v = draw(1, 1, 40, 16)
    check("flash_attention", (0.01 * q).half(), k.half(), (3000 + v).half(), False)


def test_time_before_heads(check):
    """[b, t, h, d] as a projection makes it, seen as [b, h, t, d]."""
    q, k, v = (each.transpose(1, 2) for each in draw(1, 5, 3, 16))
    check("flash_attention", q, k, v, False)


def test_keys_and_values_laid_out_each_in_its_own_way(check):
    q, k, v = draw(1, 2, 16, 16)
    check("flash_attention", q, k.mT.contiguous().mT, v.transpose(1, 2).contiguous().transpose(1, 2), False)


def test_memory_for_a_long_sequence(check):
    """Long enough for a t x t buffer to be larger than all that an honest call allocates."""
    check("flash_attention", *draw(1, 1, 264, 16), False)


def test_one_head_of_keys_and_values_for_all(check):
    q, k, v = draw(2, 3, 5, 16)
    check("flash_attention", q, k[:, :1].expand(-1, 3, -1, -1), v[:, :1].expand(-1, 3, -1, -1), False)


@pytest.mark.parametrize(
    "call", ["flash_attention(float16[2, 4, 128, 64], float16[2, 4, 128, 64], float16[2, 4, 128, 64], True)"]
)
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    b, h, t, d = random.randint(1, 2), random.randint(4, 5), random.randint(17, 30), random.randint(17, 60)
    check("flash_attention", *draw(b, h, t, d), random.choice([True, False]))
    for causal in (False, True):
        check("flash_attention", *draw(1, 1, random.randint(257, 300), random.randint(16, 24)), causal)
    q, k, v = draw(b, h, t, d, random.choice([torch.float16, torch.bfloat16]))
    check("flash_attention", q, k / 3, v, random.choice([True, False]))
    check("flash_attention", *draw(h, b, t, random.randint(113, 128)), random.choice([True, False]))


@reference("flash_attention")
def definition(q, k, v, causal=False):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


@mistake(blank="start")
def stops_before_own_block(t, first_row, BLOCK_Q, BLOCK_D, CAUSAL):
    last_key = first_row if CAUSAL else t
    peak = tl.full([BLOCK_Q], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK_Q], tl.float32)
    o = tl.zeros([BLOCK_Q, BLOCK_D], tl.float32)


@mistake(blank="start")
def leaves_out_last_keys(t, first_row, BLOCK_Q, BLOCK_K, BLOCK_D, CAUSAL):
    last_key = tl.minimum(t, first_row + BLOCK_Q) if CAUSAL else t // BLOCK_K * BLOCK_K
    peak = tl.full([BLOCK_Q], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK_Q], tl.float32)
    o = tl.zeros([BLOCK_Q, BLOCK_D], tl.float32)


@mistake(blank="start")
def peak_starts_at_zero(t, first_row, BLOCK_Q, BLOCK_D, CAUSAL):
    last_key = tl.minimum(t, first_row + BLOCK_Q) if CAUSAL else t
    peak = tl.zeros([BLOCK_Q], tl.float32)
    total = tl.zeros([BLOCK_Q], tl.float32)
    o = tl.zeros([BLOCK_Q, BLOCK_D], tl.float32)


@mistake(blank="start")
def sums_in_half(t, first_row, q, BLOCK_Q, BLOCK_D, CAUSAL):
    last_key = tl.minimum(t, first_row + BLOCK_Q) if CAUSAL else t
    peak = tl.full([BLOCK_Q], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK_Q], tl.float32)
    o = tl.zeros([BLOCK_Q, BLOCK_D], q.dtype)


@mistake(blank="scores")
def forgets_scale(q, k, key, row, t, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee")
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def divides_by_d(q, k, key, row, t, d, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") / d
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def padding_gets_weight(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    if CAUSAL:
        score = tl.where(key[None, :] <= row[:, None], score, -float("inf"))


@mistake(blank="scores")
def ignores_causal(q, k, key, t, scale):
    score = tl.dot(q, k, input_precision="ieee") * scale
    score = tl.where(key[None, :] < t, score, -float("inf"))


@mistake(blank="scores")
def always_causal(q, k, key, row, t, scale):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = (key[None, :] < t) & (key[None, :] <= row[:, None])
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def blind_to_itself(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] < row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def sees_one_key_ahead(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None] + 1
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def sees_the_future_only(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] >= row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def counts_keys_from_the_block(q, k, key, row, step, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= step[None, :] <= row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="scores")
def masks_with_zero(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, 0.0)


@mistake(blank="scores")
def masks_too_weakly(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q, k, input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, -1e4)


@mistake(blank="scores")
def multiplies_in_float32(q, k, key, row, t, scale, CAUSAL):
    score = tl.dot(q.to(tl.float32), k.to(tl.float32), input_precision="ieee") * scale
    visible = key[None, :] < t
    if CAUSAL:
        visible &= key[None, :] <= row[:, None]
    score = tl.where(visible, score, -float("inf"))


@mistake(blank="update")
def forgets_peak(score, v, total, o):
    weight = tl.exp(score)
    total += tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o, input_precision="ieee")


@mistake(blank="update")
def peak_of_this_block(score, v, peak, total, o):
    new_peak = tl.max(score, axis=1)
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def keeps_old_peak(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")


@mistake(blank="update")
def replaces_peak_too_early(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    peak = new_peak
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")


@mistake(blank="update")
def rescales_total_only(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    total = total * tl.exp(peak - new_peak) + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o, input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def rescales_output_only(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total += tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def rescales_upside_down(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(new_peak - peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def powers_of_two(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp2(score - new_peak[:, None])
    shrink = tl.exp2(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight.to(v.dtype), v, o * shrink[:, None], input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def multiplies_float32_by_half(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = tl.dot(weight, v, o * shrink[:, None], input_precision="ieee")
    peak = new_peak


@mistake(blank="update")
def rounds_products_to_half(score, v, peak, total, o):
    new_peak = tl.maximum(peak, tl.max(score, axis=1))
    weight = tl.exp(score - new_peak[:, None])
    shrink = tl.exp(peak - new_peak)
    total = total * shrink + tl.sum(weight, axis=1)
    o = o * shrink[:, None] + tl.dot(weight.to(v.dtype), v, input_precision="ieee").to(v.dtype)
    peak = new_peak


@mistake(blank="epilogue")
def forgets_to_divide(o_ptr, o, batch, head, row, dim, t, d):
    o_ptr += (batch * tl.num_programs(1) + head) * t * d
    tl.store(o_ptr + row[:, None] * d + dim[None, :], o, mask=(row[:, None] < t) & (dim[None, :] < d))


@mistake(blank="epilogue")
def stores_without_mask(o_ptr, o, total, batch, head, row, dim, t, d):
    o = o / total[:, None]
    o_ptr += (batch * tl.num_programs(1) + head) * t * d
    tl.store(o_ptr + row[:, None] * d + dim[None, :], o)


@mistake(blank="epilogue")
def swaps_batch_and_head(o_ptr, o, total, batch, head, row, dim, t, d):
    o = o / total[:, None]
    o_ptr += (head * tl.num_programs(2) + batch) * t * d
    tl.store(o_ptr + row[:, None] * d + dim[None, :], o, mask=(row[:, None] < t) & (dim[None, :] < d))


@mistake(blank="epilogue")
def stores_by_strides_of_q(o_ptr, o, total, batch, head, row, dim, t, d, q_b, q_h, q_t, q_d):
    o = o / total[:, None]
    o_ptr += batch * q_b + head * q_h
    tl.store(o_ptr + row[:, None] * q_t + dim[None, :] * q_d, o, mask=(row[:, None] < t) & (dim[None, :] < d))


@mistake(blank="launch")
def strides_of_q_for_all(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *q.stride(), *q.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip


@mistake(blank="launch")
def takes_all_for_contiguous(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *o.stride(), *o.stride(), *o.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip


@mistake(blank="launch")
def result_laid_out_as_q(q, k, v, h, b, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty_like(q)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip


@mistake(blank="launch")
def leaves_out_last_queries(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(t // BLOCK_Q, h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip


@mistake(blank="launch")
def block_of_d_dimensions(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=d,
    )  # fmt: skip


@mistake(blank="launch")
def one_warp(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=q.dtype, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d), num_warps=1,
    )  # fmt: skip


@mistake(blank="launch")
def returns_float32(q, k, v, b, h, t, d, causal, BLOCK_Q, BLOCK_K, attention_kernel):
    o = torch.empty((b, h, t, d), dtype=torch.float32, device=q.device)
    attention_kernel[(triton.cdiv(t, BLOCK_Q), h, b)](
        o, q, k, v, *q.stride(), *k.stride(), *v.stride(), t, d**-0.5, d, causal,
        BLOCK_Q=BLOCK_Q, BLOCK_K=BLOCK_K, BLOCK_D=triton.next_power_of_2(d),
    )  # fmt: skip
