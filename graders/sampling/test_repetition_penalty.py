import random

import pytest
import torch

from clozekit.grading import mistake, reference

LOGITS = (2.5, -1.5, 0.75, -0.25, 4.0, -3.0)
TEXT = (1, 4, 1, 1, 2, 4)

# The logits, the tokens so far, and the penalties by name.
CASES = {
    "repetition only": (LOGITS, TEXT, {"repetition": 1.3}),
    "presence only": (LOGITS, TEXT, {"presence": 0.7}),
    "frequency only": (LOGITS, TEXT, {"frequency": 0.4}),
    "all three": (LOGITS, TEXT, {"repetition": 1.3, "presence": 0.7, "frequency": 0.4}),
    "rewards instead of penalties": (LOGITS, TEXT, {"repetition": 0.6, "presence": -0.5, "frequency": -0.3}),
    "padding": (LOGITS, (-1, -1, 3, 4, 4, 3, 3, -1), {"repetition": 1.5, "presence": 0.7, "frequency": 0.4}),
    "nothing but padding": (LOGITS, (-1, -1), {"repetition": 1.5, "presence": 0.7, "frequency": 0.4}),
    "no token yet": (LOGITS, (), {"repetition": 1.5, "presence": 0.7, "frequency": 0.4}),
    "masked tokens": ((1.0, -torch.inf, -2.0, -torch.inf), (1, 2, 0, 1), {"repetition": 2.0, "frequency": 0.5}),
    "a logit of zero": ((0.0, 1.0, -1.0), (0, 2, 2), {"repetition": 1.7, "presence": 0.2}),
    "only one token": ((3.0,), (0, 0, 0), {"repetition": 1.2, "frequency": 0.5}),
}


def text(*shape, vocab):
    """Some tokens of the vocabulary occur often, many not at all, and one in six places is padding."""
    ids = torch.randint(0, vocab, shape).mul(torch.rand(shape)).long()
    return ids.masked_fill(torch.rand(shape) < 1 / 6, -1)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    logits, ids, penalties = CASES[case]
    check("penalize", torch.tensor(logits), torch.tensor(ids, dtype=torch.int64), **penalties)


def test_each_row_has_its_own_text(check):
    ids = torch.tensor([[0, 1, 0, 0, -1], [2, 3, 2, 5, 4], [-1, -1, -1, 1, 5]])
    check("penalize", torch.randn(3, 6), ids, 1.4, 0.6, 0.25)


def test_a_non_contiguous_batch(check):
    check("penalize", torch.randn(8, 3).T, text(5, 3, vocab=8).T, 1.2, 0.3, 0.15)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """Token 2 has 2.5 / 1.3 - 0.7 - 4 * 0.3 = 0.023 left, where the rounding of each half step shows."""
    logits, ids = torch.tensor([8.0, -4.0, 2.5, 1.0]), torch.tensor([2, 1, 2, 2, 0, 2, -1])
    check("penalize", logits.to(dtype), ids, 1.3, 0.7, 0.3, dtype=None)


def test_no_loop_over_tokens(check):
    rows = random.randint(2, 4)  # of no call that could be known by its sizes
    sizes = [(random.randint(9, 12), random.randint(6, 9)), (random.randint(200, 250), random.randint(300, 350))]
    calls = ((torch.randn(rows, vocab), text(rows, n, vocab=vocab), 1.3, 0.5, 0.25) for vocab, n in sizes)
    check.steps_do_not_grow("penalize", *calls)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    vocab = random.randint(900, 1500)
    check("penalize", torch.randn(vocab), text(random.randint(1600, 2000), vocab=vocab), random.uniform(1.1, 2))
    rows, vocab, n = random.randint(17, 30), random.randint(8, 40), random.randint(20, 50)
    logits, ids = 3 * torch.randn(rows, vocab), text(rows, n, vocab=vocab)
    repetition, presence, frequency = (random.uniform(a, b) for a, b in ((0.4, 0.9), (0.3, 2), (0.1, 1)))
    check("penalize", logits, ids, repetition, presence, frequency)
    check("penalize", logits, ids.flip(0), 2 * repetition, -presence, frequency / 2)
    check("penalize", logits[:1], ids[:1], presence=presence)
    half = random.choice([torch.float16, torch.bfloat16])
    check("penalize", logits.to(half), ids, 1 / repetition, presence, frequency, dtype=None)


@reference("penalize", compute=torch.float32)
def definition(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    counts = (ids[..., :, None] == torch.arange(logits.shape[-1])).sum(dim=-2)
    divided = torch.where(logits > 0, logits / repetition, logits * repetition)
    return torch.where(counts > 0, divided - presence - frequency * counts.to(logits.dtype), logits)


@mistake(blank="discount")
def divides_negative_logits(scores, repetition, seen):
    scores = torch.where(seen, scores / repetition, scores)


@mistake(blank="discount")
def multiplies_positive_logits(scores, repetition, seen):
    scores = torch.where(seen, torch.where(scores > 0, scores * repetition, scores / repetition), scores)


@mistake(blank="discount")
def discounts_every_token(scores, repetition):
    scores = torch.where(scores > 0, scores / repetition, scores * repetition)


@mistake(blank="discount")
def discounts_each_time(scores, repetition, counts):
    scores = torch.where(scores > 0, scores / repetition**counts, scores * repetition**counts)


@mistake(blank="subtract")
def presence_each_time(scores, presence, frequency, counts, logits):
    return (scores - (presence + frequency) * counts).to(logits.dtype)


@mistake(blank="subtract")
def presence_for_every_token(scores, presence, frequency, counts, logits):
    return (scores - presence - frequency * counts).to(logits.dtype)


@mistake(blank="subtract")
def frequency_once(scores, presence, frequency, seen, logits):
    return (scores - (presence + frequency) * seen).to(logits.dtype)


@mistake(blank="subtract")
def relative_frequency(scores, presence, frequency, seen, counts, logits, ids):
    return (scores - presence * seen - frequency * counts / max(ids.shape[-1], 1)).to(logits.dtype)


@mistake(blank="subtract")
def adds_penalties(scores, presence, frequency, seen, counts, logits):
    return (scores + presence * seen + frequency * counts).to(logits.dtype)


@mistake("penalize")
def subtracts_first(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())
    scores = scores - presence * (counts > 0) - frequency * counts
    discounted = torch.where(scores > 0, scores / repetition, scores * repetition)
    return torch.where(counts > 0, discounted, scores).to(logits.dtype)


@mistake(blank="count")
def counts_twice_as_once(logits, ids):
    scores = logits.float()
    rows, places = scores.reshape(-1, scores.shape[-1]), ids.reshape(-1, ids.shape[-1])
    counts = torch.zeros_like(rows)
    for row, place in zip(counts, places, strict=True):
        row[place[place >= 0]] += 1
    counts = counts.reshape(scores.shape)
    seen = counts > 0


@mistake(blank="count")
def counts_of_the_batch(logits, ids):
    scores = logits.float()
    tokens = ids[ids >= 0]
    counts = torch.bincount(tokens, minlength=scores.shape[-1]).float().expand_as(scores)
    seen = counts > 0


@mistake(blank="count")
def padding_is_token_zero(logits, ids):
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), torch.ones(ids.shape))
    seen = counts > 0


@mistake(blank="count")
def padding_is_the_last_token(logits, ids):
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids % scores.shape[-1], torch.ones(ids.shape))
    seen = counts > 0


@mistake(blank="count")
def changes_the_logits(logits, ids, repetition):
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())
    seen = counts > 0
    scores[seen] = torch.where(scores > 0, scores / repetition, scores * repetition)[seen]
    repetition = 1.0


@mistake("penalize", rounding=True)
def computes_in_half(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    counts = torch.zeros_like(logits).scatter_add(-1, ids.clamp(min=0), (ids >= 0).to(logits.dtype))
    discounted = torch.where(logits > 0, logits / repetition, logits * repetition)
    scores = torch.where(counts > 0, discounted, logits)
    return scores - presence * (counts > 0) - frequency * counts
