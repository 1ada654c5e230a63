import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

INF = torch.inf
EVEN = (1.0, 0.9, 0.7, 0.4, 0.0, -0.3, -0.6, -1.4)
PEAKED = (6.0, 3.0, 2.0, 1.0, 0.5, 0.0, -1.0, -3.0)

# The logits, shuffled before each call, and min_p. No quotient is within a rounding of min_p, save that of equal logits.
CASES = {
    "a confident model": (PEAKED, 0.04),
    "an unsure model": (EVEN, 0.25),
    "all logits negative": ((-3.0, -3.5, -4.5, -5.5, -7.0), 0.15),
    "close to one": (EVEN, 0.85),
    "one": (EVEN, 1.0),
    "one with equal logits": ((2.0, 2.0, 2.0, 1.0, -1.0), 1.0),
    "small": ((5.0, 0.0, -8.0, -9.5, -20.0), 1e-6),
    "zero": ((1.0, 0.0, -3.0, -30.0), 0.0),
    "only one token": ((-2.0,), 0.3),
    "masked tokens": ((3.0, 2.0, 1.0, -1.0, -INF, -INF), 0.1),
    "zero with masked tokens": ((3.0, 2.0, -8.0, -INF), 0.0),
    "large logits": ((300.0, 299.0, 297.0, 290.0), 0.1),
    "lower than any constant": ((-2e30, -3e30, -4e30), 0.1),
}


def shuffled(values):
    return torch.as_tensor(values)[torch.randperm(len(values))]


def clear_of_borders(logits):
    """Of a few draws, the min_p whose logarithm is farthest from all distances to the largest logit of a row."""
    distances = logits.double() - logits.double().amax(dim=-1, keepdim=True)
    draws = [random.uniform(0.02, 0.9) for _ in range(32)]
    return max(draws, key=lambda p: (distances.exp() - p).abs().min().item() / p)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    logits, min_p = CASES[case]
    check("min_p_filter", shuffled(logits), min_p)


def test_each_row_has_its_own_border(check):
    rows = [PEAKED, EVEN, (-1.0, -1.5, -2.5, -3.5, -4.0, -5.0, -INF, -INF)]
    check("min_p_filter", torch.stack([shuffled(row) for row in rows]), 0.12)


def test_a_non_contiguous_batch(check):
    logits = torch.stack([shuffled(row) for row in (EVEN, PEAKED)], dim=1)  # [vocab, 2]
    check("min_p_filter", logits.T, 0.3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """Values that both dtypes hold; neither tells quotients of 0.99951 and 1, or holds a min_p between."""
    rows = [[1 / 2048, 0.0, -1 / 2048, -1 / 1024, -2.0], [1 / 512, 0.0, -1 / 512, -1.0, -3.0]]
    check("min_p_filter", torch.tensor(rows).to(dtype), 0.99975)


def test_no_loop_over_the_vocabulary(check):
    rows = random.randint(2, 4)  # of no call that could be known by its sizes
    sizes = random.randint(9, 12), random.randint(300, 350)
    drawn = [torch.stack([shuffled(range(vocab)) / 4 for _ in range(rows)]) for vocab in sizes]
    check.steps_do_not_grow("min_p_filter", *((logits, random.uniform(0.5, 0.58)) for logits in drawn))


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    vocab = random.randint(2000, 4000)
    logits = shuffled(range(vocab)) / vocab * 8
    check("min_p_filter", logits, clear_of_borders(logits))
    rows, vocab = random.randint(17, 40), random.randint(9, 30)
    logits = torch.randint(-20, 0, (rows, vocab)) / 4  # many are equal
    min_p = clear_of_borders(logits)
    check("min_p_filter", logits, min_p)
    check("min_p_filter", logits + 100, clear_of_borders(logits))
    check("min_p_filter", logits[:1], min_p)
    check("min_p_filter", logits, 1.0)
    masked = torch.where(torch.arange(vocab) < vocab // 2, -INF, logits)
    check("min_p_filter", masked, clear_of_borders(masked))
    half = random.choice([torch.float16, torch.bfloat16])
    logits = shuffled(range(random.randint(100, 250))).div(8).to(half)
    check("min_p_filter", logits, math.exp(-(random.randint(60, 100) + 0.5) / 8))


@reference("min_p_filter", compute=torch.float32)
def definition(logits, min_p):
    behind = logits.max(dim=-1, keepdim=True).values - logits
    if min_p == 0:
        return logits.clone()
    allowed = -math.log(min_p)
    return torch.where(behind > allowed + 1e-6 * logits.abs(), -INF, logits)


@mistake(blank="border")
def absolute_border(min_p):
    border = min_p


@mistake("min_p_filter")
def share_of_the_largest_logit(logits, min_p):
    return logits.masked_fill(logits < min_p * logits.amax(dim=-1, keepdim=True), -math.inf)


@mistake("min_p_filter")
def adds_min_p(logits, min_p):
    return logits.masked_fill(logits.float() < logits.float().amax(dim=-1, keepdim=True) - min_p, -math.inf)


@mistake("min_p_filter")
def top_p(logits, min_p):
    ranked, order = torch.softmax(logits.float(), dim=-1).sort(dim=-1, descending=True)
    drop = ranked.cumsum(dim=-1) - ranked >= min_p
    return logits.masked_fill(drop.scatter(-1, order, drop), -math.inf)


@mistake("min_p_filter")
def top_k(logits, min_p):
    count = max(1, round(min_p * logits.shape[-1]))
    return logits.masked_fill(logits < logits.topk(count, dim=-1).values[..., -1:], -math.inf)


@mistake(blank="filter")
def drops_the_equal(logits, probs, border):
    return logits.masked_fill(probs <= border, -math.inf)


@mistake(blank="filter")
def keeps_the_improbable(logits, probs, border):
    return logits.masked_fill(probs > border, -math.inf)


@mistake("min_p_filter")
def log_of_zero(logits, min_p):
    wide = logits.float()
    return logits.masked_fill(wide < wide.amax(dim=-1, keepdim=True) + math.log(min_p), -math.inf)


@mistake(blank="border")
def one_border_for_the_batch(min_p, probs):
    border = min_p * probs.max()


@mistake(blank="probabilities")
def softmax_over_the_batch(logits):
    probs = torch.softmax(logits.float(), dim=0)


@mistake(blank="probabilities")
def exponentials_overflow(logits):
    weights = logits.float().exp()
    probs = weights / weights.sum(dim=-1, keepdim=True)


@mistake(blank="probabilities")
def computes_in_half(logits):
    probs = torch.softmax(logits, dim=-1)


@mistake(blank="filter")
def finite_instead_of_inf(logits, probs, border):
    return logits.masked_fill(probs < border, -1e4)


@mistake(blank="filter")
def zero_instead_of_inf(logits, probs, border):
    return logits.masked_fill(probs < border, 0)


@mistake(blank="filter")
def beyond_float16(logits, probs, border):
    return logits.masked_fill(probs < border, -1e9)


@mistake(blank="filter")
def infinite_in_float16_only(logits, probs, border):
    return logits.where(probs >= border, logits.new_full((), 1) * -1e10)


@mistake(blank="filter")
def returns_probabilities(logits, probs, border):
    return logits.masked_fill(probs < border, -math.inf).softmax(dim=-1)


@mistake(blank="filter")
def changes_the_logits(logits, probs, border):
    logits[probs < border] = -math.inf
    return logits
