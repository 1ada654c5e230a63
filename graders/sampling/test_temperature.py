import random

import pytest
import torch

from clozekit.grading import mistake, reference

INF = torch.inf

# The logits, shuffled before each call, and the temperature.
CASES = {
    "an ordinary temperature": ((2.0, 1.0, 0.5, -0.5, -1.5), 0.7),
    "temperature of one": ((2.0, 1.0, 0.5, -0.5, -1.5), 1.0),
    "low temperature": ((3.0, 2.9, 2.7, 1.0), 0.1),
    "high temperature": ((30.0, 10.0, 0.0, -20.0), 25.0),
    "as low as the logits are small": ((2e-9, 1e-9, 0.0, -1e-9), 1e-9),
    "the lowest, with logits as small": ((2e-30, 1e-30, 0.0, -1e-30), 1e-30),
    "close to even": ((3.0, 1.0, -2.0), 1e30),
    "only one token": ((1.7,), 1e-30),
    "masked tokens": ((1.5, 0.5, -0.5, -INF, -INF), 0.6),
    "quotients beyond float32": ((3e9, 2e9, 1.0, -INF), 1e-30),
    "all logits negative": ((-1e9, -2e9, -3e9), 1e-30),
    "zero": ((4.0, 3.0, 1.0, -2.0), 0),
    "zero with equal logits": ((4.0, 4.0, 4.0, 1.0, -2.0), 0.0),
    "zero with close logits": ((1.0, 1.00001, 0.99999), 0.0),
    "zero with masked tokens": ((-7.0, -7.0, -9.0, -INF, -INF), 0.0),
}


def shuffled(values):
    return torch.tensor(values)[torch.randperm(len(values))]


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    logits, temperature = CASES[case]
    check("temperature_probs", shuffled(logits), temperature)


@pytest.mark.parametrize("temperature", [1e-30, 0.0], ids=["tiny temperature", "zero"])
def test_rows_far_apart(check, temperature):
    rows = [(9e9, 5e9, 2e9), (3.0, 2.0, 1.0), (-4e9, -5e9, -INF)]
    check("temperature_probs", torch.stack([shuffled(row) for row in rows]), temperature)


def test_gradients(check):
    check("temperature_probs", torch.randn(3, 7), 0.6, gradients=True)


def test_a_non_contiguous_batch(check):
    check("temperature_probs", torch.randn(7, 3).T, 0.4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """Values that both dtypes hold, as float16 holds not the distance between the first and the last."""
    logits = torch.stack([8192.0 * (torch.randperm(15) - 7) for _ in range(2)])
    check("temperature_probs", logits.to(dtype), 30_000.0, dtype=None)
    check("temperature_probs", logits.to(dtype), 0, dtype=None)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    temperature = 10 ** random.uniform(-0.7, 1)
    check("temperature_probs", torch.randn(random.randint(2000, 4000)), temperature)
    rows, vocab = random.randint(17, 40), random.randint(2, 60)
    logits = torch.randn(rows, vocab)
    scale = 10 ** random.uniform(-30, -4)
    check("temperature_probs", logits * scale, scale)
    check("temperature_probs", logits, temperature / 3)
    check("temperature_probs", logits[:1], temperature)
    logits = torch.randint(0, 4, (rows, vocab)).float()  # several of the largest in most rows
    check("temperature_probs", logits - random.randint(1, 50), 0.0)
    logits[:, -1] = -INF
    check("temperature_probs", logits * random.uniform(1, 2), 10 ** random.uniform(-1, 25))
    logits = torch.stack([torch.randperm(vocab) for _ in range(rows)]) * 1e9
    check("temperature_probs", logits, 10 ** random.uniform(-30, -28))
    half = random.choice([torch.float16, torch.bfloat16])
    check("temperature_probs", logits.div(1e9).to(half), random.choice([2.0, 4.0, 8.0]), dtype=None)


@reference("temperature_probs", compute=torch.float32)
def definition(logits, temperature):
    largest = logits.max(dim=-1, keepdim=True).values
    if temperature == 0:
        equal = logits >= largest - 1e-6 * largest.abs()  # equal ones come here a rounding apart
        weights = equal.to(logits.dtype)
    else:
        weights = ((logits - largest) / temperature).exp()
    return weights / weights.sum(dim=-1, keepdim=True)


@mistake("temperature_probs")
def ignores_temperature(logits, temperature):
    return torch.softmax(logits.float(), dim=-1).to(logits.dtype)


@mistake(blank="probabilities")
def multiplies_by_temperature(gaps, temperature, logits):
    return torch.softmax(gaps * temperature, dim=-1).to(logits.dtype)


@mistake(blank="probabilities")
def divides_the_probabilities(gaps, temperature, logits):
    return (torch.softmax(gaps, dim=-1) / temperature).to(logits.dtype)


@mistake(blank="probabilities")
def scales_after_softmax(gaps, temperature, logits):
    return torch.softmax(torch.softmax(gaps, dim=-1) / temperature, dim=-1).to(logits.dtype)


@mistake(blank="probabilities")
def softmax_over_the_batch(gaps, temperature, logits):
    return torch.softmax(gaps / temperature, dim=0).to(logits.dtype)


@mistake("temperature_probs")
def quotients_overflow(logits, temperature):
    wide = logits.float()
    if temperature == 0:
        best = (wide == wide.amax(dim=-1, keepdim=True)).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax(wide / temperature, dim=-1).to(logits.dtype)


@mistake("temperature_probs")
def subtracts_one_maximum(logits, temperature):
    wide = logits.float()
    if temperature == 0:
        best = (wide == wide.amax(dim=-1, keepdim=True)).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax((wide - wide.max()) / temperature, dim=-1).to(logits.dtype)


@mistake(blank="limit")
def divides_by_zero():
    pass


@mistake(blank="limit")
def zero_is_one(temperature):
    if temperature == 0:
        temperature = 1.0


@mistake(blank="limit")
def first_of_the_largest(gaps, temperature, logits):
    if temperature == 0:
        best = gaps.argmax(dim=-1, keepdim=True)
        return torch.zeros_like(gaps).scatter(-1, best, 1.0).to(logits.dtype)


@mistake(blank="limit")
def smallest_temperature(temperature):
    temperature = max(temperature, 1e-5)


@mistake("temperature_probs")
def computes_in_half(logits, temperature):
    gaps = logits - logits.amax(dim=-1, keepdim=True)
    if temperature == 0:
        best = (gaps == 0).to(logits.dtype)
        return best / best.sum(dim=-1, keepdim=True)
    return torch.softmax(gaps / temperature, dim=-1)


@mistake(blank="shift")
def changes_the_logits(logits):
    gaps = logits.float()
    gaps -= gaps.amax(dim=-1, keepdim=True).clone()


@mistake(blank="shift")
def detaches_the_logits(logits):
    wide = logits.detach().float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
