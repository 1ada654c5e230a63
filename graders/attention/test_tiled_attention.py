import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# b, h, t, d, block_q, block_k. Sizes differ, so that an axis taken for another one shows.
SHAPES = {
    "whole tiles": (2, 3, 8, 5, 4, 2),
    "a rest of queries and of keys": (2, 3, 11, 5, 4, 3),
    "tiles of one score": (2, 3, 6, 5, 1, 1),
    "wide tiles": (2, 3, 11, 5, 2, 7),
    "high tiles": (2, 3, 11, 5, 7, 2),
    "one tile": (2, 3, 6, 5, 16, 16),
    "one token": (2, 3, 1, 5, 4, 3),
    "one feature": (2, 3, 15, 1, 4, 7),
}

# tokens, block_q, block_k; drawn, so that no length is known to be measured.
TEXTS = {"short text": (range(70, 81), 8, 10), "long text": (range(240, 261), 64, 16)}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, h=3, t=11, d=5, dtype=torch.float32):
    """q, k, v; scores of about 2, so that the softmax is far from even."""
    q, k, v = torch.randn(3, b, h, t, d)
    return (1.5 * q).to(dtype), (1.5 * k).to(dtype), v.to(dtype)


@pytest.mark.parametrize("case", ["a rest of queries and of keys", "wide tiles", "one tile"])
def test_all_keys(check, case):
    *sizes, block_q, block_k = SHAPES[case]
    check("tiled_attention", *draw(*sizes), block_q, block_k)


@pytest.mark.parametrize("case", SHAPES)
def test_causal(check, case):
    *sizes, block_q, block_k = SHAPES[case]
    check("tiled_attention", *draw(*sizes), block_q, block_k, True)


@pytest.mark.parametrize("direction", ["rising", "falling"])
def test_scores_in_the_thousands(check, direction):
    """Key j scores about 2000 j - 14,000 with every query, or the other way round; and their negatives."""
    q, k, v = draw(t=6)
    q[..., 0] = math.sqrt(5)
    k[..., 0] = 2000 * torch.arange(6) - 14_000
    k = k if direction == "rising" else k.flip(2)
    check("tiled_attention", q, -k, v, 4, 2)
    check("tiled_attention", q, k, v, 4, 2, True)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("tiled_attention", *draw(dtype=DTYPES[case]), 4, 3, True)


def test_many_tiles(check):
    """Each adds 1 to the sums, which in bfloat16 do not grow beyond 256."""
    q, k, v = torch.zeros(3, 1, 1, 450, 1, dtype=torch.bfloat16)
    v[:, :, 90:] = 1
    check("tiled_attention", q, k, v, 450, 1)


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed."""
    check("tiled_attention", *(x.transpose(1, 2).contiguous().transpose(1, 2) for x in draw()), 4, 3)


@pytest.mark.parametrize("text", TEXTS)
def test_memory(check, text):
    """So few features that a block of queries with all keys is far more than the result, and so is a tile that is too large."""
    lengths, *blocks = TEXTS[text]
    check("tiled_attention", *draw(1, 1, random.choice(lengths), 3), *blocks, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([*DTYPES.values()])
    for dtype, t, d in ((torch.float32, random.randint(65, 90), random.randint(33, 40)), (half, 23, 2)):
        inputs = draw(random.randint(2, 3), random.randint(4, 5), t, d, dtype)
        for causal in (True, False):
            check("tiled_attention", *inputs, random.randint(17, 40), random.randint(17, 40), causal)
    check("tiled_attention", *draw(1, 1, random.randint(240, 260), 3), 64, 16, True, measured=True)


@reference("tiled_attention", dtypes={"[1]": torch.float32})
def all_at_once(q, k, v, block_q, block_k, causal=False):
    """By the formula; that its memory is quadratic is nobody's concern here."""
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[2:]).triu(1) > 0, -math.inf)
    return torch.softmax(scores, dim=-1) @ v, torch.logsumexp(scores, dim=-1)


@mistake("tiled_attention")
def whole_matrix(q, k, v, block_q, block_k, causal=False):
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[2:], dtype=torch.bool).triu(1), -math.inf)
    peak = scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores - peak)
    total = weights.sum(dim=-1, keepdim=True)
    return (weights @ v.float() / total).to(q.dtype), (peak + total.log()).squeeze(-1)


@mistake("tiled_attention")
def whole_rows(q, k, v, block_q, block_k, causal=False):
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for first in range(0, q.shape[2], block_q):
        rows = slice(first, first + block_q)
        scores = q[:, :, rows].float() @ k.float().mT / math.sqrt(q.shape[-1])
        if causal:
            hidden = torch.ones(scores.shape[2:], dtype=torch.bool).triu(first + 1)
            scores = scores.masked_fill(hidden, -math.inf)
        peak = scores.amax(dim=-1, keepdim=True)
        weights = torch.exp(scores - peak)
        total = weights.sum(dim=-1, keepdim=True)
        out[:, :, rows] = weights @ v.float() / total
        lse[:, :, rows] = (peak + total.log()).squeeze(-1)
    return out, lse


@mistake(blank="tile")
def forgets_scale(rows, k, v, d, start, block_k):
    keys, values = (x[:, :, start : start + block_k].float() for x in (k, v))
    scores = rows @ keys.mT * math.sqrt(d)


@mistake(blank="start")
def starts_at_zero(q, d, first, end):
    rows = q[:, :, first:end].float() / math.sqrt(d)
    peak = rows.new_zeros(rows.shape[:3])
    total = torch.zeros_like(peak)
    mixed = torch.zeros_like(rows)


@mistake(blank="tile")
def drops_the_rest(rows, k, v, t, start, block_k):
    keys, values = (x[:, :, start : start + block_k].float() for x in (k, v))
    scores = rows @ keys.mT
    if start + block_k > t and start > 0:
        scores = torch.full_like(scores, -math.inf)


@mistake(blank="block")
def sees_the_future():
    pass


@mistake(blank="block")
def causal_within_the_tile(scores, causal):
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[2:], dtype=torch.bool).triu(1), -math.inf)


@mistake(blank="block")
def hides_itself(scores, causal, first, end, start, keys):
    if causal:
        query = torch.arange(first, end)[:, None]
        key = start + torch.arange(keys.shape[2])
        scores = scores.masked_fill(key >= query, -math.inf)


@mistake(blank="block")
def only_tiles_below_the_diagonal(scores, causal, first, start, block_k):
    if causal and start + block_k > first + 1 and start > 0:
        scores = torch.full_like(scores, -math.inf)


@mistake(blank="block")
def mask_too_weak(scores, causal, first, end, start, keys):
    if causal:
        query = torch.arange(first, end)[:, None]
        key = start + torch.arange(keys.shape[2])
        scores = scores.masked_fill(key > query, -1e4)


@mistake(blank="update")
def overflows(scores, values, total, mixed):
    weights = torch.exp(scores)
    total = total + weights.sum(dim=-1)
    mixed = mixed + weights @ values
    peak = torch.zeros_like(total)


@mistake(blank="update")
def peak_of_the_tile(scores, values, peak, total, mixed):
    new = scores.amax(dim=-1)
    shrink = torch.exp(peak - new)
    weights = torch.exp(scores - new[..., None])
    total = total * shrink + weights.sum(dim=-1)
    mixed = mixed * shrink[..., None] + weights @ values
    peak = new


@mistake(blank="update")
def sum_is_not_rescaled(scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    weights = torch.exp(scores - new[..., None])
    total = total + weights.sum(dim=-1)
    mixed = mixed * torch.exp(peak - new)[..., None] + weights @ values
    peak = new


@mistake(blank="update")
def mixed_is_not_rescaled(scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    weights = torch.exp(scores - new[..., None])
    total = total * torch.exp(peak - new) + weights.sum(dim=-1)
    mixed = mixed + weights @ values
    peak = new


@mistake(blank="update")
def rescales_the_wrong_way(scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    grow = torch.where(peak.isinf(), 0.0, torch.exp(new - peak))
    weights = torch.exp(scores - new[..., None])
    total = total * grow + weights.sum(dim=-1)
    mixed = mixed * grow[..., None] + weights @ values
    peak = new


@mistake(blank="update")
def softmax_of_each_tile(scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    mixed = mixed + weights @ values / weights.sum(dim=-1, keepdim=True)
    total = torch.ones_like(total)
    peak = new


@mistake(blank="update")
def divides_in_every_tile(scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    weights = torch.exp(scores - new[..., None])
    total = total * torch.exp(peak - new) + weights.sum(dim=-1)
    mixed = (mixed * torch.exp(peak - new)[..., None] + weights @ values) / total[..., None]
    peak = new


@mistake(blank="update", rounding=True)
def sums_in_half(q, scores, values, peak, total, mixed):
    new = torch.maximum(peak, scores.amax(dim=-1))
    shrink = torch.exp(peak - new)
    weights = torch.exp(scores - new[..., None])
    total = (total * shrink + weights.sum(dim=-1)).to(q.dtype).float()
    mixed = (mixed * shrink[..., None] + weights @ values).to(q.dtype).float()
    peak = new


@mistake("tiled_attention")
def tiles_of_a_fixed_size(q, k, v, block_q, block_k, causal=False):
    t, block_q, block_k = q.shape[2], 64, 64
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for first in range(0, t, block_q):
        rows = q[:, :, first : first + block_q].float() / math.sqrt(q.shape[3])
        peak, total, mixed = rows.new_full(rows.shape[:3], -math.inf), 0, 0
        for start in range(0, min(first + block_q, t) if causal else t, block_k):
            keys, values = (x[:, :, start : start + block_k].float() for x in (k, v))
            scores = rows @ keys.mT
            if causal:
                hidden = torch.ones(scores.shape[2:], dtype=torch.bool).triu(first - start + 1)
                scores = scores.masked_fill(hidden, -math.inf)
            new = torch.maximum(peak, scores.amax(dim=-1))
            weights = torch.exp(scores - new[..., None])
            total = total * torch.exp(peak - new) + weights.sum(dim=-1)
            mixed = mixed * torch.exp(peak - new)[..., None] + weights @ values
            peak = new
        out[:, :, first : first + block_q] = mixed / total[..., None]
        lse[:, :, first : first + block_q] = peak + total.log()
    return out, lse


@mistake(blank="finish")
def forgets_to_divide(out, lse, first, end, peak, total, mixed):
    out[:, :, first:end] = mixed
    lse[:, :, first:end] = peak + total.log()


@mistake(blank="finish")
def lse_is_the_peak(out, lse, first, end, peak, total, mixed):
    out[:, :, first:end] = mixed / total[..., None]
    lse[:, :, first:end] = peak


@mistake(blank="finish")
def lse_without_the_peak(out, lse, first, end, total, mixed):
    out[:, :, first:end] = mixed / total[..., None]
    lse[:, :, first:end] = total.log()


@mistake(blank="finish")
def lse_of_base_two(out, lse, first, end, peak, total, mixed):
    out[:, :, first:end] = mixed / total[..., None]
    lse[:, :, first:end] = peak + total.log2()


@mistake(blank="finish")
def lse_in_half(q, out, lse, first, end, peak, total, mixed):
    out[:, :, first:end] = mixed / total[..., None]
    lse = lse.to(q.dtype)
    lse[:, :, first:end] = peak + total.log()


@mistake(blank="finish")
def stays_float32(out, lse, first, end, peak, total, mixed):
    out = out.float()
    out[:, :, first:end] = mixed / total[..., None]
    lse[:, :, first:end] = peak + total.log()


@mistake(blank="start")
def views_inputs(q, b, h, t, d, first, end):
    rows = q.view(b * h, t, d)[:, first:end].view(b, h, end - first, d).float() / math.sqrt(d)
    peak = rows.new_full(rows.shape[:3], -math.inf)
    total = torch.zeros_like(peak)
    mixed = torch.zeros_like(rows)
