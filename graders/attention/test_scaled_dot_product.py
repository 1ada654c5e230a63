import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# Leading axes, t_q, t_k, d_k, d_v. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "sequences and heads": ((2, 3), 4, 5, 7, 6),
    "sequences": ((2,), 4, 5, 7, 6),
    "one sequence": ((), 4, 5, 7, 6),
    "more queries than keys": ((2, 3), 6, 4, 5, 7),
    "one query": ((2, 3), 1, 5, 7, 4),
    "one key": ((2, 3), 4, 1, 7, 5),
    "one feature": ((2, 3), 4, 5, 1, 2),
    "many features": ((3,), 4, 5, 256, 6),
}

# Each for 2 sequences of 3 heads, 4 queries and 5 keys; True where a query (a row) may attend to a key (a column).
MASKS = {
    "causal": lambda: torch.ones(4, 5, dtype=torch.bool).tril(1),
    "padding": lambda: (torch.arange(5) < torch.tensor([[5], [3]]))[:, None, None],  # [2, 1, 1, 5]
    "the same for every query": lambda: torch.tensor([True, False, True, True, False]),
    "one for each sequence": lambda: draw_mask(2, 1),
    "one for each head": lambda: draw_mask(2, 3),
}

# dtype, mask. Of two dtypes only float16 is too short for -1e9; without a mask nothing but the softmax is in question.
HALVES = {
    "float16": (torch.float16, None),
    "float16 with a mask": (torch.float16, "causal"),
    "bfloat16 with a mask": (torch.bfloat16, "causal"),
}


def draw(lead=(2, 3), t_q=4, t_k=5, d_k=7, d_v=6, dtype=torch.float32):
    """q, k, v; scores of about 2, so that the softmax is far from even."""
    q, k = (1.5 * torch.randn(*lead, t, d_k) for t in (t_q, t_k))
    return q.to(dtype), k.to(dtype), torch.randn(*lead, t_k, d_v).to(dtype)


def draw_mask(*lead, t_q=4, t_k=5):
    """[*lead, t_q, t_k]; every query may attend to one key at least."""
    one = torch.arange(t_k) == torch.randint(t_k, (*lead, t_q, 1))
    return (torch.rand(*lead, t_q, t_k) < 0.5) | one


@pytest.mark.parametrize("case", SHAPES)
def test_without_a_mask(check, case):
    check("attention", *draw(*SHAPES[case]))


@pytest.mark.parametrize("case", MASKS)
def test_with_a_mask(check, case):
    check("attention", *draw(), MASKS[case]())


@pytest.mark.parametrize("case", HALVES)
def test_half_precision(check, case):
    dtype, mask = HALVES[case]
    check("attention", *draw(dtype=dtype), *([MASKS[mask]()] if mask else []))


def test_scores_in_the_thousands(check):
    q, k, v = draw()
    check("attention", 30 * q, 60 * k, v)


def test_a_blocked_key_whose_score_is_far_larger(check):
    """Key j scores about 5000 j - 20,000 with every query, and the mask blocks the later keys."""
    q, k, v = draw()
    q[..., 0] = math.sqrt(7)
    k[..., 0] = 5000 * torch.arange(5) - 20_000
    check("attention", q, k, v, MASKS["causal"]())


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed."""
    q, k, v = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in draw())
    check("attention", q, k, v)


def test_gradients(check):
    check("attention", *draw(), MASKS["causal"](), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([torch.float16, torch.bfloat16])
    few, many = (random.randint(2, 3), random.randint(2, 3)), (random.randint(9, 11),)
    wide, narrow = random.randint(65, 80), random.randint(3, 5)
    for lead, dtype, d_k, d_v in ((few, torch.float32, wide, narrow), (many, half, narrow, wide)):
        t_q, t_k = random.sample(range(33, 48), k=2)
        mask = draw_mask(*random.choice([(), lead, (*lead[:-1], 1)]), t_q=t_q, t_k=t_k)
        check("attention", *draw(lead, t_q, t_k, d_k, d_v, dtype), mask, gradients=dtype == torch.float32)
    check("attention", *draw((), random.randint(5, 9), random.randint(140, 170), wide, narrow))
    check(
        "attention", *draw((2, 1, 2), narrow, narrow + 1, narrow, wide), draw_mask(2, 1, 1, t_q=narrow, t_k=narrow + 1)
    )


@reference("attention")
def definition(q, k, v, mask=None):
    """One query after the other. The softmax is the library's: written out, its gradient would round less than honest ones."""
    allowed = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool) if mask is None else mask
    allowed = allowed.expand(*q.shape[:-1], k.shape[-2])
    rows = []
    for i in range(q.shape[-2]):
        scores = torch.einsum("...d,...kd->...k", q[..., i, :], k) / math.sqrt(q.shape[-1])
        weights = torch.where(allowed[..., i, :], scores, -math.inf).softmax(-1)
        rows.append(torch.einsum("...k,...kd->...d", weights, v))
    return torch.stack(rows, dim=-2)


@mistake(blank="score")
def forgets_scale(q, k):
    scores = q @ k.mT


@mistake(blank="score")
def divides_by_d_k(q, k):
    scores = q @ k.mT / q.shape[-1]


@mistake(blank="score")
def multiplies_by_root(q, k):
    scores = q @ k.mT * math.sqrt(q.shape[-1])


@mistake(blank="score")
def halves_instead_of_root(q, k):
    scores = q @ k.mT / (q.shape[-1] ** 1 / 2)


@mistake(blank="score")
def scales_by_d_v(q, k, v):
    scores = q @ k.mT / math.sqrt(v.shape[-1])


@mistake(blank="score")
def scales_by_keys(q, k):
    scores = q @ k.mT / math.sqrt(k.shape[-2])


@mistake(blank="score")
def scales_in_place(q, k):
    q /= math.sqrt(q.shape[-1])
    scores = q @ k.mT


@mistake(blank="score")
def needs_four_axes(q, k):
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])


@mistake(blank="score")
def reverses_all_axes(q, k):
    scores = q @ k.permute(*reversed(range(k.dim()))) / math.sqrt(q.shape[-1])


@mistake("attention")
def scales_after_the_softmax(q, k, v, mask=None):
    scores = q @ k.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) / math.sqrt(q.shape[-1]) @ v


@mistake(blank="block")
def forgets_mask():
    pass


@mistake(blank="block")
def needs_a_mask(scores, mask):
    scores = scores.masked_fill(~mask, -math.inf)


@mistake(blank="block")
def bias_of_two_axes(scores, mask):
    bias = scores.new_zeros(scores.shape[-2:])
    if mask is not None:
        bias.masked_fill_(~mask, -math.inf)
    scores = scores + bias


@mistake(blank="block")
def always_causal(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    scores = scores.masked_fill(scores.new_ones(scores.shape[-2:]).triu(1).bool(), -math.inf)


@mistake(blank="block")
def inverted_mask(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)


@mistake(blank="block")
def adds_mask(scores, mask):
    if mask is not None:
        scores = scores + mask


@mistake(blank="block")
def zeroes_scores(scores, mask):
    if mask is not None:
        scores = scores * mask


@mistake(blank="block")
def mask_too_weak(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e4)


@mistake(blank="block")
def lowers_the_scores(scores, mask):
    if mask is not None:
        scores = scores - 1e4 * (~mask).to(scores.dtype)


@mistake(blank="block")
def mask_beyond_float16(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)


@mistake(blank="block")
def float32_mask(scores, mask):
    if mask is not None:
        scores = scores + (~mask).float().masked_fill(~mask, -math.inf)


@mistake("attention")
def blocks_weights(q, k, v, mask=None):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, -math.inf)
    return weights @ v


@mistake("attention")
def masks_weights(q, k, v, mask=None):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0)
    return weights @ v


@mistake("attention")
def masks_weights_and_renormalises(q, k, v, mask=None):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0)
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights @ v


@mistake(blank="weigh")
def softmax_over_queries(scores):
    weights = scores.softmax(dim=-2)


@mistake(blank="weigh")
def softmax_over_the_second_axis(scores):
    weights = scores.softmax(dim=1)


@mistake(blank="weigh")
def softmax_overflows(scores):
    weights = scores.exp()
    weights = weights / weights.sum(dim=-1, keepdim=True)


@mistake(blank="weigh")
def subtracts_one_maximum(scores):
    weights = (scores - scores.max()).exp()
    weights = weights / weights.sum(dim=-1, keepdim=True)


@mistake(blank="weigh")
def softmax_stays_float32(scores):
    weights = scores.float().softmax(dim=-1)
