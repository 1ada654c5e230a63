import math
import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# batch, heads, time, dimension. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "one token": (1, 2, 1, 16),
    "several heads and sequences": (2, 3, 5, 16),
    "ragged time": (1, 1, 70, 16),
    "a dimension that is no power of two": (1, 1, 33, 100),
    "whole blocks": (1, 1, 64, 32),
}


def draw(b, h, t, d, dtype=torch.float32, causal=False, level=0):
    """do, q, k, v, o [b, h, t, d] and lse [b, h, t]; scores of about `level`, and some 2 around it."""
    do, q, k, v = torch.randn(4, b, h, t, d)
    q, k, v = q.to(dtype), (2 * k).to(dtype), v.to(dtype)
    if level:
        q[..., 0], k[..., 0] = math.sqrt(d), level
    score = q.float() @ k.float().mT / math.sqrt(d)
    if causal:
        score = score.masked_fill(~torch.ones(t, t).tril().bool(), -torch.inf)
    o = torch.softmax(score, dim=-1) @ v.float()
    return do.to(dtype), q, k, v, o.to(dtype), torch.logsumexp(score, dim=-1)


@pytest.mark.parametrize("case", SHAPES)
def test_full(check, case):
    check("flash_attention_backward", *draw(*SHAPES[case]), False)


@pytest.mark.parametrize("case", SHAPES)
def test_causal(check, case):
    check("flash_attention_backward", *draw(*SHAPES[case], causal=True), True)


def test_not_causal_by_default(check):
    check("flash_attention_backward", *draw(1, 1, 5, 16))


@pytest.mark.parametrize(("level", "causal"), [(110, True), (-110, False)], ids=["large", "far below zero"])
def test_scores_are(check, level, causal):
    """Not asked again: where one element moves, lse is no longer that of its row, and p is beyond all numbers."""
    check("flash_attention_backward", *draw(1, 1, 40, 16, causal=causal, level=level), causal, once=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(check, dtype):
    check("flash_attention_backward", *draw(1, 1, 40, 32, getattr(torch, dtype), causal=True), True)


def test_gradients_whose_sum_exceeds_float16(check):
    """Every weight is 1: of a value's gradient 120,000 come from the first 80 queries, and -60,000 from the others."""
    do, q, k, v, *_ = draw(1, 1, 120, 16, torch.float16)
    do[..., :80, :], do[..., 80:, :] = 1500, -1500
    lse = torch.zeros(1, 1, 120)
    check("flash_attention_backward", do, 0 * q, k, 0 * v, 0 * v, lse, False)


def test_time_before_heads(check):
    """[b, t, h, d] as a projection makes it, seen as [b, h, t, d]."""
    *tensors, lse = draw(1, 5, 3, 16)
    views = [each.transpose(1, 2).contiguous().transpose(1, 2) for each in tensors]
    check("flash_attention_backward", *views, lse, False)


def test_each_tensor_laid_out_in_its_own_way(check):
    do, q, k, v, o, lse = draw(2, 3, 16, 16, causal=True)
    do, v = (each.transpose(1, 2).contiguous().transpose(1, 2) for each in (do, v))
    k, o = k.mT.contiguous().mT, torch.cat([o, o], dim=-1)[..., :16]
    check("flash_attention_backward", do, q, k, v, o, lse.transpose(1, 2).contiguous().transpose(1, 2), True)


def test_one_gradient_for_all_rows(check):
    """As it comes from a sum."""
    do, *others = draw(2, 2, 20, 16)
    check("flash_attention_backward", do[:, :, :1].expand(-1, -1, 20, -1), *others, False)


def test_memory_for_a_long_sequence(check):
    """Long enough for a t x t buffer to be larger than all that an honest call allocates."""
    check("flash_attention_backward", *draw(1, 1, 264, 16, torch.float16), False)


def test_costs(check):
    check.costs(
        "flash_attention_backward(float16[2, 2, 512, 64], float16[2, 2, 512, 64], float16[2, 2, 512, 64], "
        "float16[2, 2, 512, 64], float16[2, 2, 512, 64], float32[2, 2, 512], True)"
    )


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    b, h, t, causal = random.randint(1, 2), random.randint(3, 4), random.randint(17, 30), random.choice([True, False])
    half = random.choice([torch.float16, torch.bfloat16])
    check("flash_attention_backward", *draw(b, h, t, random.randint(17, 60), causal=causal), causal)
    check("flash_attention_backward", *draw(1, 1, random.randint(321, 350), 16, half, causal=not causal), not causal)
    check("flash_attention_backward", *draw(1, b, t, random.randint(113, 128), half, causal=causal), causal)


@reference("flash_attention_backward")
def definition(do, q, k, v, o, lse, causal=False):
    scale = q.shape[-1] ** -0.5
    score = torch.einsum("bhid,bhjd->bhij", q, k) * scale
    if causal:
        score = score.masked_fill(torch.ones(score.shape[-2:]).triu(1).bool(), -torch.inf)
    p = torch.exp(score - lse.unsqueeze(-1))
    dp = torch.einsum("bhid,bhjd->bhij", do, v)
    ds = p * (dp - torch.sum(do * o, dim=-1, keepdim=True))
    dq = torch.einsum("bhij,bhjd->bhid", ds, k) * scale
    dk = torch.einsum("bhij,bhid->bhjd", ds, q) * scale
    dv = torch.einsum("bhij,bhid->bhjd", p, do)
    return dq, dk, dv


@mistake(blank="probabilities")
def forgets_scale(product, row, key, lse, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key <= row
    return tl.where(visible, tl.exp(product - lse), 0.0)


@mistake(blank="probabilities")
def ignores_causal(product, key, lse, scale, t):
    return tl.where(key < t, tl.exp(product * scale - lse), 0.0)


@mistake(blank="probabilities")
def blind_to_itself(product, row, key, lse, scale, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key < row
    return tl.where(visible, tl.exp(product * scale - lse), 0.0)


@mistake(blank="probabilities")
def sees_the_future_only(product, row, key, lse, scale, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key >= row
    return tl.where(visible, tl.exp(product * scale - lse), 0.0)


@mistake(blank="probabilities")
def padding_has_probability(product, row, key, lse, scale, CAUSAL):
    p = tl.exp(product * scale - lse)
    if CAUSAL:
        p = tl.where(key <= row, p, 0.0)
    return p


@mistake(blank="probabilities")
def divides_exponentials(product, row, key, lse, scale, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key <= row
    return tl.where(visible, tl.exp(product * scale) / tl.exp(lse), 0.0)


@mistake(blank="probabilities")
def powers_of_two(product, row, key, lse, scale, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key <= row
    return tl.where(visible, tl.exp2(product * scale - lse), 0.0)


@mistake(blank="probabilities")
def divides_by_lse(product, row, key, lse, scale, t, CAUSAL):
    visible = key < t
    if CAUSAL:
        visible &= key <= row
    return tl.where(visible, tl.exp(product * scale) / lse, 0.0)


@mistake(blank="delta")
def averages_delta(do, o, d):
    delta = tl.sum(do.to(tl.float32) * o.to(tl.float32), axis=1) / d


@mistake(blank="delta")
def sums_gradient_alone(do):
    delta = tl.sum(do.to(tl.float32), axis=1)


@mistake(blank="queries_of_the_keys")
def starts_behind_own_block(first_key, CAUSAL, BLOCK_K):
    start = first_key + BLOCK_K if CAUSAL else 0


@mistake(blank="queries_of_the_keys")
def walks_over_hidden_blocks():
    start = 0


@mistake(blank="dk_dv")
def forgets_delta_for_keys(p, q, do, v, dk, dv):
    dv = tl.dot(p.to(do.dtype), do, dv, input_precision="ieee")
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    dk = tl.dot((p * dp).to(q.dtype), q, dk, input_precision="ieee")


@mistake(blank="dk_dv")
def adds_delta(p, q, do, v, delta, dk, dv):
    dv = tl.dot(p.to(do.dtype), do, dv, input_precision="ieee")
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    ds = p * (dp + delta[None, :])
    dk = tl.dot(ds.to(q.dtype), q, dk, input_precision="ieee")


@mistake(blank="dk_dv")
def forgets_probability(p, q, do, v, delta, dk, dv):
    dv = tl.dot(p.to(do.dtype), do, dv, input_precision="ieee")
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    dk = tl.dot((dp - delta[None, :]).to(q.dtype), q, dk, input_precision="ieee")


@mistake(blank="dk_dv")
def values_by_scores(p, q, do, v, delta, dk, dv):
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    ds = p * (dp - delta[None, :])
    dv = tl.dot(ds.to(do.dtype), do, dv, input_precision="ieee")
    dk = tl.dot(ds.to(q.dtype), q, dk, input_precision="ieee")


@mistake(blank="dk_dv")
def keeps_last_block(p, q, do, v, delta):
    dv = tl.dot(p.to(do.dtype), do, input_precision="ieee")
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    ds = p * (dp - delta[None, :])
    dk = tl.dot(ds.to(q.dtype), q, input_precision="ieee")


@mistake(blank="dk_dv")
def multiplies_float32_by_half(p, q, do, v, delta, dk, dv):
    dv = tl.dot(p, do, dv, input_precision="ieee")
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    ds = p * (dp - delta[None, :])
    dk = tl.dot(ds, q, dk, input_precision="ieee")


@mistake(blank="dk_dv")
def rounds_sums_to_half(p, q, do, v, delta, dk, dv):
    dv += tl.dot(p.to(do.dtype), do, input_precision="ieee").to(do.dtype)
    dp = tl.dot(v, tl.trans(do), input_precision="ieee")
    ds = p * (dp - delta[None, :])
    dk += tl.dot(ds.to(q.dtype), q, input_precision="ieee").to(q.dtype)


@mistake(blank="keys_of_the_queries")
def stops_before_own_block(t, first_row, CAUSAL):
    stop = first_row if CAUSAL else t


@mistake(blank="dq")
def forgets_delta_for_queries(p, do, k, v, dq):
    dp = tl.dot(do, tl.trans(v), input_precision="ieee")
    dq = tl.dot((p * dp).to(k.dtype), k, dq, input_precision="ieee")


@mistake(blank="dq")
def queries_by_values(p, do, k, v, delta, dq):
    dp = tl.dot(do, tl.trans(v), input_precision="ieee")
    ds = p * (dp - delta[:, None])
    dq = tl.dot(ds.to(k.dtype), v, dq, input_precision="ieee")


@mistake(blank="dq")
def multiplies_in_float32(p, do, k, v, delta, dq):
    dp = tl.dot(do, tl.trans(v), input_precision="ieee")
    ds = p * (dp - delta[:, None])
    dq = tl.dot(ds, k.to(tl.float32), dq, input_precision="ieee")


@mistake(blank="launch")
def strides_of_q_for_all(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (*[q.stride()] * 4, lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, q.stride(), q.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def takes_all_for_contiguous(
    do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel
):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (*[dq.stride()] * 4, *[delta.stride()] * 2)
    delta_kernel[grid](delta, do, o, dq.stride(), dq.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def result_laid_out_as_k(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty_like(each) for each in (q, k, v))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def leaves_out_last_rows(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (max(1, t // BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def too_few_warps(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    sizes = sizes | {"num_warps": 2}
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def returns_float32(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=torch.float32, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)


@mistake(blank="launch")
def returns_gradients_in_another_order(
    do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel
):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq, dk, dv = dk, dv, dq


@mistake(blank="launch")
def a_launch_per_head(do, q, k, v, o, lse, causal, b, h, t, d, BLOCK, sizes, delta_kernel, dk_dv_kernel, dq_kernel):
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), 1, 1)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    for i in range(b):
        for j in range(h):
            one = [each[i : i + 1, j : j + 1] for each in (do, q, k, v, lse, delta)]
            rest = (*strides, t, d**-0.5, d, causal)
            delta_kernel[grid](one[5], one[0], o[i : i + 1, j : j + 1], do.stride(), o.stride(), t, d, **sizes)
            dk_dv_kernel[grid](dk[i, j], dv[i, j], *one, *rest, BLOCK_K=BLOCK, **sizes)
            dq_kernel[grid](dq[i, j], *one, *rest, BLOCK_K=BLOCK, **sizes)
