import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# lengths, t_q, t_k, causal, offset. Sizes differ from each other, so that an axis taken for another one shows.
MASKS = {
    "padding": ([5, 3], 4, 5, False, 0),
    "an empty sequence": ([5, 0, 2], 4, 5, False, 0),
    "more queries than keys": ([3, 2], 6, 3, False, 0),
    "causal": ([6, 6], 6, 6, True, 0),
    "causal and padding": ([6, 2, 4], 6, 6, True, 0),
    "one sequence": ([4], 3, 5, True, 2),
    "three cached tokens": ([7, 7], 4, 7, True, 3),
    "three cached tokens and padding": ([7, 5], 4, 7, True, 3),
    "room for more keys than there are": ([6, 4], 2, 9, True, 3),
    "one new token": ([6, 4], 1, 6, True, 5),
    "one token": ([1], 1, 1, True, 0),
    "an offset that nothing hides": ([5, 3], 2, 5, False, 3),
}

# Shapes of scores and mask.
WEIGHTS = {
    "a mask for all": ((2, 3, 4, 5), (4, 5)),
    "a mask for each sequence": ((2, 3, 4, 5), (2, 1, 4, 5)),
    "a mask for all queries": ((2, 3, 4, 5), (2, 1, 1, 5)),
    "one matrix": ((4, 5), (4, 5)),
    "one key": ((2, 3, 4, 1), (2, 1, 4, 1)),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw_scores(*shape, dtype=torch.float32):
    return (2 * torch.randn(shape)).to(dtype)


def draw_mask(*shape):
    """Every query may attend to one key at least."""
    one = torch.arange(shape[-1]) == torch.randint(shape[-1], (*shape[:-1], 1))
    return (torch.rand(shape) < 0.5) | one


def draw_holes(*shape):
    """As draw_mask, but the first query of each matrix has no key, nor has any in the first matrix."""
    mask = draw_mask(*shape)
    mask[..., 0, :] = False
    mask[0] = False
    return mask


@pytest.mark.parametrize("case", MASKS)
def test_make_mask(check, case):
    lengths, *sizes = MASKS[case]
    check("make_mask", torch.tensor(lengths), *sizes)


def test_the_offset_is_zero_by_default(check):
    check("make_mask", torch.tensor([6, 4]), 4, 6, True)


@pytest.mark.parametrize("case", WEIGHTS)
def test_masked_softmax(check, case):
    scores, mask = WEIGHTS[case]
    check("masked_softmax", draw_scores(*scores), draw_mask(*mask))


def test_queries_without_keys(check):
    check("masked_softmax", draw_scores(2, 3, 4, 5), draw_holes(2, 1, 4, 5))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("masked_softmax", draw_scores(2, 3, 4, 5, dtype=DTYPES[case]), draw_holes(2, 1, 4, 5))


def test_scores_in_the_thousands(check):
    check("masked_softmax", 1000 * draw_scores(2, 3, 4, 5), draw_mask(4, 5))


def test_a_blocked_key_whose_score_is_far_larger(check):
    """Key j scores 5000 j - 20,000, and the mask blocks the later keys."""
    scores = draw_scores(2, 3, 4, 5) + 5000 * torch.arange(5) - 20_000
    check("masked_softmax", scores, torch.ones(4, 5, dtype=torch.bool).tril())


def test_non_contiguous_scores(check):
    check("masked_softmax", draw_scores(2, 4, 3, 5).transpose(1, 2), draw_mask(2, 1, 4, 5))


def test_gradients(check):
    check("masked_softmax", draw_scores(2, 3, 4, 5), draw_mask(2, 1, 4, 5), gradients=True)


def test_gradients_where_there_are_no_keys(check):
    check("masked_softmax", draw_scores(2, 3, 4, 5), draw_holes(2, 1, 4, 5), gradients=True)


@pytest.mark.hidden
def test_masks_drawn_anew(check):
    """Each size twice, with other lengths: what is kept of the first is wrong for the second."""
    for causal in random.sample([True, False], k=2):
        b, t_q, offset = random.randint(3, 9), random.randint(9, 40), random.randint(1, 30)
        t_k = t_q + offset + random.randint(0, 3)
        for _ in range(2):
            check("make_mask", torch.randint(t_k + 1, (b,)), t_q, t_k, causal, offset)


@pytest.mark.hidden
def test_weights_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([*DTYPES.values()])
    for dtype in (torch.float32, half, torch.float32):
        b, h, t_q, t_k = random.randint(2, 3), random.randint(4, 5), random.randint(6, 7), random.randint(33, 70)
        mask = draw_holes(b, random.choice([1, h]), t_q, t_k)
        check("masked_softmax", draw_scores(b, h, t_q, t_k, dtype=dtype), mask, gradients=dtype == torch.float32)


@reference("make_mask")
def by_positions(lengths, t_q, t_k, causal, offset=0):
    """Each place by itself, in the words of the statement."""
    return torch.tensor(
        [
            [[[j < length and (not causal or j <= i + offset) for j in range(t_k)] for i in range(t_q)]]
            for length in lengths.tolist()
        ]
    )


@reference("masked_softmax")
def over_what_is_left(scores, mask):
    """The softmax of a query over its own keys, taken out of the row and put back."""
    mask = mask.expand(scores.shape)
    rows = []
    for row, allowed in zip(scores.reshape(-1, scores.shape[-1]), mask.reshape(-1, scores.shape[-1]), strict=True):
        keys = allowed.nonzero().squeeze(-1)
        none = torch.zeros_like(row)
        rows.append(none.index_put((keys,), row[keys].softmax(-1)) if len(keys) else none)
    return torch.stack(rows).reshape(scores.shape)


@mistake(blank="padding")
def ignores_lengths(t_k, lengths):
    key = torch.arange(t_k)
    real = torch.ones(len(lengths), 1, 1, t_k, dtype=torch.bool)


@mistake(blank="padding")
def one_key_too_many(t_k, lengths):
    key = torch.arange(t_k)
    real = key <= lengths[:, None, None, None]


@mistake(blank="padding")
def padding_on_the_left(t_k, lengths):
    key = torch.arange(t_k)
    real = key >= t_k - lengths[:, None, None, None]


@mistake(blank="padding")
def true_where_padded(t_k, lengths):
    key = torch.arange(t_k)
    real = key >= lengths[:, None, None, None]


@mistake("make_mask")
def hides_padded_queries(lengths, t_q, t_k, causal, offset=0):
    key, query = torch.arange(t_k), offset + torch.arange(t_q)[:, None]
    last = lengths[:, None, None, None]
    mask = (key < last) & (query < last)
    return mask & (key <= query) if causal else mask


@mistake("make_mask")
def pads_queries_instead(lengths, t_q, t_k, causal, offset=0):
    key, query = torch.arange(t_k), offset + torch.arange(t_q)[:, None]
    mask = (query < lengths[:, None, None, None]).expand(-1, -1, -1, t_k)
    return mask & (key <= query) if causal else mask


@mistake(blank="causal")
def always_causal(offset, t_q, key):
    query = offset + torch.arange(t_q)[:, None]
    seen = key <= query


@mistake(blank="causal")
def never_causal(t_q):
    seen = torch.ones(t_q, 1, dtype=torch.bool)


@mistake(blank="causal")
def ignores_offset(t_q, key, causal):
    query = torch.arange(t_q)[:, None]
    seen = key <= query if causal else torch.ones_like(query, dtype=torch.bool)


@mistake(blank="causal")
def subtracts_offset(offset, t_q, key, causal):
    query = torch.arange(t_q)[:, None] - offset
    seen = key <= query if causal else torch.ones_like(query, dtype=torch.bool)


@mistake(blank="causal")
def aligned_at_the_end(t_q, t_k, key, causal):
    query = t_k - t_q + torch.arange(t_q)[:, None]
    seen = key <= query if causal else torch.ones_like(query, dtype=torch.bool)


@mistake(blank="causal")
def not_itself(offset, t_q, key, causal):
    query = offset + torch.arange(t_q)[:, None]
    seen = key < query if causal else torch.ones_like(query, dtype=torch.bool)


@mistake(blank="causal")
def sees_only_the_future(offset, t_q, key, causal):
    query = offset + torch.arange(t_q)[:, None]
    seen = key >= query if causal else torch.ones_like(query, dtype=torch.bool)


@mistake(blank="combine")
def either_is_enough(real, seen, t_q, t_k):
    return (real | seen).expand(-1, -1, t_q, t_k)


@mistake(blank="combine")
def no_axis_for_the_heads(real, seen, t_q, t_k):
    return (real & seen).expand(-1, -1, t_q, t_k)[:, 0]


@mistake(blank="combine")
def zeros_and_ones(real, seen, t_q, t_k):
    return (real & seen).expand(-1, -1, t_q, t_k).float()


@mistake(blank="combine")
def a_bias(real, seen, t_q, t_k):
    return torch.zeros(len(real), 1, t_q, t_k).masked_fill(~(real & seen), -math.inf)


@mistake("masked_softmax")
def forgets_mask(scores, mask):
    return scores.softmax(dim=-1)


@mistake("masked_softmax")
def nan_without_keys(scores, mask):
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@mistake("masked_softmax")
def nan_in_the_gradient(scores, mask):
    bias = torch.zeros_like(scores).masked_fill(~mask, -math.inf)
    return (scores + bias).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def even_without_keys(scores, mask):
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=-1)


@mistake("masked_softmax")
def weights_minus_infinity(scores, mask):
    return scores.softmax(dim=-1).masked_fill(~mask, -math.inf)


@mistake("masked_softmax")
def zeroes_weights(scores, mask):
    return scores.softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def zeroes_weights_and_renormalises(scores, mask):
    weights = scores.softmax(dim=-1).masked_fill(~mask, 0.0)
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)


@mistake("masked_softmax")
def zeroes_scores(scores, mask):
    return (scores * mask).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def mask_too_weak(scores, mask):
    return scores.masked_fill(~mask, -1e4).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def lowers_the_scores(scores, mask):
    return (scores - 1e4 * (~mask).to(scores.dtype)).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def mask_beyond_float16(scores, mask):
    return scores.masked_fill(~mask, -1e9).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def inverted_mask(scores, mask):
    return scores.masked_fill(mask, -math.inf).softmax(dim=-1).masked_fill(mask, 0.0)


@mistake("masked_softmax")
def softmax_over_queries(scores, mask):
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-2).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def changes_the_scores(scores, mask):
    return scores.masked_fill_(~mask, -math.inf).softmax(dim=-1).masked_fill(~mask, 0.0)


@mistake("masked_softmax")
def returns_float32(scores, mask):
    return scores.float().masked_fill(~mask, -math.inf).softmax(dim=-1).masked_fill(~mask, 0.0)
