import random

import pytest
import torch

from clozekit.grading import mistake, reference

STAIRS = (0.30, 0.22, 0.16, 0.12, 0.09, 0.06, 0.03, 0.02)
STEEP = (0.80, 0.10, 0.06, 0.04)
MASKED = (0.50, 0.30, 0.15, 0.05, 0.0, 0.0, 0.0)  # a mass of 0 is a logit of -inf
WHOLE = (0.50, 0.30, 0.15, 0.0499994, 6e-7, 0.0, 0.0)  # the last mass may be lost: in float32 the sum may reach 1 early
EQUALS = (0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0.05, 0.05)
PEAKED = (0.90, 0.04, 0.02, 0.015, 0.01, 0.007, 0.005, 0.003)
LEVEL = (0.14, 0.135, 0.13, 0.127, 0.123, 0.12, 0.115, 0.11)

# The masses of the tokens, p, temperature. No border has a tie, or a cumulative mass that rounding could push across p.
CASES = {
    "the fourth token crosses p": (STAIRS, 0.75, 1.0),
    "the first token is enough": (STEEP, 0.5, 1.0),
    "tiny p": (STAIRS, 1e-9, 1.0),
    "p of one": (WHOLE, 1.0, 1.0),
    "p close to one": (STAIRS, 0.99, 1.0),
    "equally probable tokens": (EQUALS, 0.7, 1.0),
    "masked tokens": (MASKED, 0.6, 1.0),
    "masked tokens and p close to one": (MASKED, 0.99, 1.0),
    "only one token and tiny p": ((1.0,), 1e-9, 1.0),
    "low temperature": (STAIRS, 0.75, 0.5),
    "high temperature": (STAIRS, 0.75, 2.0),
}


def logits_of(masses, temperature=1.0, shift=3.0):
    """Logits [vocab] whose softmax at this temperature is `masses`, shuffled and off by a random constant."""
    masses = torch.as_tensor(masses)[torch.randperm(len(masses))]
    return temperature * masses.log() + shift * torch.randn(())


def zipf(vocab, exponent=1.0):
    """Masses with a long tail: the n-th token is n (to the power of the exponent) times rarer than the first."""
    weights = torch.arange(1, vocab + 1, dtype=torch.float64) ** -exponent
    return (weights / weights.sum()).float()


def inside(mass, rank):
    """A p that the token of this rank (from 0) crosses, well within its own mass."""
    return (mass[:rank].sum() + random.uniform(0.3, 0.7) * mass[rank]).item()


def clear_of_borders(logits, temperature):
    """Of a few draws, the p that is farthest from the cumulative masses of all rows."""
    masses = torch.softmax(logits.double() / temperature, dim=-1).sort(dim=-1, descending=True).values.cumsum(dim=-1)
    return max([random.uniform(0.1, 0.95) for _ in range(32)], key=lambda p: (masses - p).abs().min().item())


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    masses, p, temperature = CASES[case]
    check("top_p_probs", logits_of(masses, temperature), p, temperature)


def test_temperature_is_one_by_default(check):
    check("top_p_probs", logits_of(STAIRS), 0.75)


def test_a_long_tail(check):
    masses = zipf(300)
    check("top_p_probs", logits_of(masses), masses[:40].sum().item() - masses[39].item() / 2, 1.0)


@pytest.mark.parametrize("shift", [300.0, -300.0], ids=["large", "very negative"])
def test_logits(check, shift):
    check("top_p_probs", logits_of(STAIRS, shift=0.0) + shift, 0.75, 1.0)


def test_each_row_has_its_own_nucleus(check):
    logits = torch.stack([logits_of(masses) for masses in (STAIRS, PEAKED, LEVEL)])
    check("top_p_probs", logits, 0.75, 1.0)


def test_a_non_contiguous_batch(check):
    logits = torch.stack([logits_of(masses, 0.8) for masses in (LEVEL, STAIRS)], dim=1)  # [vocab, 2]
    check("top_p_probs", logits.T, 0.85, 0.8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """Whole numbers that both dtypes hold, and a temperature at which neither holds the quotients."""
    logits = torch.stack([(24.0 - torch.arange(16))[torch.randperm(16)] for _ in range(2)])
    check("top_p_probs", logits.to(dtype), 0.97, 0.7, dtype=None)


def test_no_loop_over_the_vocabulary(check):
    rows, temperature = random.randint(2, 4), random.uniform(0.5, 2)  # of no call that could be known by its sizes
    small, large = zipf(random.randint(9, 12)), zipf(random.randint(300, 350))
    calls = (
        (torch.stack([logits_of(masses, temperature) for _ in range(rows)]), inside(masses, rank), temperature)
        for masses, rank in ((small, 4), (large, random.randint(100, 200)))
    )
    check.steps_do_not_grow("top_p_probs", *calls)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    masses, temperature = zipf(random.randint(2000, 4000), random.uniform(0.8, 1.1)), 10 ** random.uniform(1, 2)
    check("top_p_probs", logits_of(masses, temperature), inside(masses, random.randint(513, 1400)), temperature)

    masses, temperature = torch.softmax(-0.7 * torch.arange(random.randint(14, 20)), 0), 10 ** random.uniform(-5, -4)
    p = inside(masses, random.randint(8, 11))  # from 0.996 on
    check("top_p_probs", logits_of(masses, temperature, shift=0)[None], p, temperature)

    half, temperature = random.choice([torch.float16, torch.bfloat16]), 10 ** random.uniform(0.3, 1.2)
    rows, vocab = random.randint(2, 5), random.randint(20, 100)
    logits = torch.stack([torch.randperm(vocab) for _ in range(rows)]).to(half)  # whole numbers, no two alike
    logits[:, 0] = -torch.inf
    check("top_p_probs", logits, clear_of_borders(logits, temperature), temperature, dtype=None)

    vocab, temperature = random.randint(9, 40), 10 ** random.uniform(-0.7, 0.7)
    exponents = [random.uniform(0.5, 2) for _ in range(random.randint(33, 40))]
    logits = torch.stack([logits_of(zipf(vocab, exponent), temperature) for exponent in exponents])
    p = clear_of_borders(logits, temperature)
    check("top_p_probs", logits, p, temperature)
    others = 1 + torch.randperm(vocab - 1)  # the first token stays where it is
    check("top_p_probs", logits[:, torch.cat([torch.tensor([0]), others])], p, temperature)


@reference("top_p_probs", compute=torch.float32)
def definition(logits, p, temperature=1.0):
    probs = torch.softmax(logits / temperature, dim=-1)
    ranked = probs.sort(dim=-1, descending=True).values
    before = torch.cat([torch.zeros_like(ranked[..., :1]), ranked.cumsum(dim=-1)], dim=-1)
    ahead = before.gather(-1, torch.searchsorted(-ranked, -probs))  # the mass of all that are more probable
    nucleus = torch.where(ahead < p, probs, 0)  # as long as those before it hold less than p, a token is needed
    return nucleus / nucleus.sum(dim=-1, keepdim=True)


@mistake(blank="probabilities")
def ignores_temperature(logits):
    probs = torch.softmax(logits.float(), dim=-1)


@mistake(blank="probabilities")
def multiplies_by_temperature(logits, temperature):
    probs = torch.softmax(logits.float() * temperature, dim=-1)


@mistake("top_p_probs")
def temperature_after_filtering(logits, p, temperature=1.0):
    wide = logits.float()
    ranked, order = torch.softmax(wide, dim=-1).sort(dim=-1, descending=True)
    drop = (ranked.cumsum(dim=-1) - ranked >= p).scatter(-1, order, ranked.cumsum(dim=-1) - ranked >= p)
    return torch.softmax(wide.masked_fill(drop, float("-inf")) / temperature, dim=-1).to(logits.dtype)


@mistake(blank="probabilities")
def softmax_over_the_batch(logits, temperature):
    probs = torch.softmax(logits.float() / temperature, dim=0)


@mistake(blank="probabilities")
def exponentials_overflow(logits, temperature):
    weights = (logits.float() / temperature).exp()
    probs = weights / weights.sum(dim=-1, keepdim=True)


@mistake(blank="probabilities", rounding=True)
def computes_in_half(logits, temperature):
    probs = torch.softmax(logits / temperature, dim=-1)


@mistake(blank="probabilities")
def changes_the_logits(logits, temperature):
    scaled = logits.float()
    scaled /= temperature
    probs = torch.softmax(scaled, dim=-1)


@mistake(blank="nucleus")
def drops_the_crossing_token(ranked, p):
    drop = ranked.cumsum(dim=-1) > p
    drop[..., 0] = False
    ranked = ranked.masked_fill(drop, 0.0)


@mistake(blank="nucleus")
def may_keep_nothing(ranked, p):
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) > p, 0.0)


@mistake(blank="nucleus")
def one_token_too_many(ranked, p):
    size = (ranked.cumsum(dim=-1) < p).sum(dim=-1, keepdim=True) + 2
    ranked = ranked.masked_fill(torch.arange(ranked.shape[-1]) >= size, 0.0)


@mistake(blank="nucleus")
def compares_each_with_p(ranked, p):
    ranked = ranked.masked_fill(ranked < p, 0.0)


@mistake(blank="nucleus")
def min_p(ranked, p):
    ranked = ranked.masked_fill(ranked < p * ranked[..., :1], 0.0)


@mistake(blank="nucleus")
def top_k(ranked, p):
    count = max(1, int(p * ranked.shape[-1]))
    ranked = ranked.masked_fill(torch.arange(ranked.shape[-1]) >= count, 0.0)


@mistake(blank="nucleus")
def ascending(ranked, p):
    rising = ranked.flip(-1)
    drop = (rising.cumsum(dim=-1) - rising >= p).flip(-1)
    ranked = ranked.masked_fill(drop, 0.0)


@mistake(blank="nucleus")
def everything_is_tail(ranked, p):
    tail = ranked.flip(-1).cumsum(dim=-1).flip(-1)
    ranked = ranked.masked_fill(tail <= 1 - p, 0.0)


@mistake(blank="nucleus")
def nucleus_of_the_first_row(ranked, p):
    before = ranked.cumsum(dim=-1) - ranked
    ranked = ranked.masked_fill((before >= p).reshape(-1, ranked.shape[-1])[0], 0.0)


@mistake(blank="nucleus")
def one_nucleus_for_the_batch(ranked, p):
    flat, places = ranked.flatten().sort(descending=True)
    keep = flat.cumsum(dim=-1) - flat < p
    ranked = torch.where(torch.zeros_like(keep).scatter(0, places, keep).view_as(ranked), ranked, 0.0)


@mistake(blank="renormalise")
def forgets_to_renormalise(ranked):
    pass


@mistake(blank="renormalise")
def softmax_again(ranked):
    ranked = torch.softmax(ranked, dim=-1)


@mistake(blank="renormalise")
def renormalises_over_the_batch(ranked):
    ranked = ranked / ranked.sum()


@mistake(blank="place")
def stays_sorted(ranked, logits):
    return ranked.to(logits.dtype)


@mistake(blank="place")
def gathers_by_the_order(ranked, order, logits):
    return ranked.gather(-1, order).to(logits.dtype)


@mistake(blank="place")
def returns_logits(ranked, order, logits):
    kept = torch.zeros_like(ranked).scatter(-1, order, ranked)
    return logits.masked_fill(kept == 0, float("-inf"))
