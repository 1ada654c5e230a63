import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

INF = torch.inf

# The logits, shuffled before each call, and k.
CASES = {
    "four of eight": ((3.0, 2.5, 1.5, 0.5, -0.5, -1.0, -2.0, -4.0), 4),
    "only the largest": ((3.0, 2.5, 1.5, 0.5), 1),
    "all but one": ((3.0, 2.5, 1.5, 0.5), 3),
    "k as large as the vocabulary": ((3.0, 2.5, 1.5, 0.5), 4),
    "k larger than the vocabulary": ((3.0, 2.5, 1.5, 0.5), 50),
    "only one token": ((-2.0,), 1),
    "equal logits at the border": ((3.0, 2.0, 1.0, 1.0, 1.0, -1.0), 3),
    "equal logits above the border": ((3.0, 3.0, 2.0, 1.0, -1.0), 3),
    "close to the border": ((3.0, 2.0, 1.999995, 1.0), 2),
    "all equal": ((-0.5, -0.5, -0.5, -0.5), 2),
    "masked tokens": ((3.0, 2.0, 1.0, 0.5, -INF, -INF), 2),
    "fewer than k unmasked": ((3.0, 2.0, -INF, -INF, -INF), 4),
    "far apart": ((0.0, -200.0, -300.0, -400.0), 2),
    "lower than any constant": ((-2e30, -3e30, -4e30, -5e30), 2),
}


def shuffled(values):
    return torch.as_tensor(values)[torch.randperm(len(values))]


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    logits, k = CASES[case]
    check("top_k_filter", shuffled(logits), k)


def test_each_row_has_its_own_border(check):
    rows = [(9.0, 8.0, 7.0, 6.0, 5.0), (2.0, 1.0, 1.0, 1.0, 0.0), (-1.0, -2.0, -3.0, -4.0, -INF)]
    check("top_k_filter", torch.stack([shuffled(row) for row in rows]), 3)


def test_a_non_contiguous_batch(check):
    check("top_k_filter", torch.randn(9, 3).T, 4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """Whole numbers that both dtypes hold; in each row two of them are equal."""
    logits = torch.stack([torch.randperm(16) for _ in range(2)]).to(dtype)
    logits[logits == 11] = 12
    check("top_k_filter", logits, 4)


def test_no_loop_over_the_vocabulary(check):
    rows, k = random.randint(2, 4), random.randint(3, 6)  # of no call that could be known by its sizes
    sizes = random.randint(9, 12), random.randint(300, 350)
    check.steps_do_not_grow("top_k_filter", *((torch.randn(rows, vocab), k) for vocab in sizes))


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    vocab = random.randint(2000, 4000)
    check("top_k_filter", torch.randperm(vocab) / 8, random.randint(600, 1900))
    rows, vocab = random.randint(17, 40), random.randint(9, 60)
    logits = torch.randint(-9, 0, (rows, vocab)).float()  # many are equal
    k = random.randint(2, vocab - 2)
    check("top_k_filter", logits, k)
    check("top_k_filter", logits, k + 1)
    check("top_k_filter", logits[:1], k)
    masked = torch.where(torch.arange(vocab) < vocab // 2, -INF, logits)
    check("top_k_filter", masked, random.randint(1, 3))
    half = random.choice([torch.float16, torch.bfloat16])
    check("top_k_filter", shuffled(range(random.randint(100, 250))).to(half), random.randint(40, 90))


@reference("top_k_filter", compute=torch.float32)
def definition(logits, k):
    border = logits.sort(dim=-1, descending=True).values[..., :k][..., -1:]
    border = border - 1e-6 * border.abs()  # equal logits come here a rounding apart
    return torch.where(logits < border, -INF, logits)


@mistake("top_k_filter")
def cuts_ties(logits, k):
    values, indices = logits.topk(min(k, logits.shape[-1]), dim=-1)
    return logits.new_full(logits.shape, -math.inf).scatter(-1, indices, values)


@mistake(blank="border")
def fails_beyond_vocabulary(logits, k):
    border = logits.topk(k, dim=-1).values[..., -1:]


@mistake(blank="filter")
def drops_the_last(logits, border):
    return logits.masked_fill(logits <= border, -math.inf)


@mistake(blank="border")
def one_too_many(logits, k):
    border = logits.topk(min(k + 1, logits.shape[-1]), dim=-1).values[..., -1:]


@mistake("top_k_filter")
def keeps_the_smallest(logits, k):
    border = logits.topk(min(k, logits.shape[-1]), dim=-1, largest=False).values[..., -1:]
    return logits.masked_fill(logits > border, -math.inf)


@mistake(blank="border")
def border_of_the_first_row(logits, k):
    border = logits.topk(min(k, logits.shape[-1]), dim=-1).values.flatten()[min(k, logits.shape[-1]) - 1]


@mistake(blank="border")
def one_border_for_the_batch(logits, k):
    border = logits.flatten().topk(min(k, logits.numel())).values[-1]


@mistake(blank="border")
def top_k_over_the_batch(logits, k):
    border = logits.topk(min(k, logits.shape[0]), dim=0).values[-1:]


@mistake(blank="filter")
def finite_instead_of_inf(logits, border):
    return logits.masked_fill(logits < border, -1e4)


@mistake(blank="filter")
def zero_instead_of_inf(logits, border):
    return logits.masked_fill(logits < border, 0)


@mistake(blank="filter")
def beyond_float16(logits, border):
    return logits.masked_fill(logits < border, -1e9)


@mistake(blank="filter")
def infinite_in_float16_only(logits, border):
    return logits.where(logits >= border, logits.new_full((), 1) * -1e10)


@mistake("top_k_filter")
def returns_only_k(logits, k):
    return logits.topk(min(k, logits.shape[-1]), dim=-1).values


@mistake(blank="filter")
def returns_probabilities(logits, border):
    return logits.masked_fill(logits < border, -math.inf).softmax(dim=-1)


@mistake("top_k_filter")
def compares_probabilities(logits, k):
    probs = logits.softmax(dim=-1)
    border = probs.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(probs < border, -math.inf)


@mistake("top_k_filter")
def counts_equal_ones_once(logits, k):
    rows = logits.reshape(-1, logits.shape[-1])
    borders = [row.unique(sorted=True)[-k:][0] for row in rows]
    out = [row.masked_fill(row < border, -math.inf) for row, border in zip(rows, borders, strict=True)]
    return out[0] if logits.dim() == 1 else logits.new_tensor([row.tolist() for row in out])


@mistake(blank="filter")
def changes_the_logits(logits, border):
    logits[logits < border] = -math.inf
    return logits
