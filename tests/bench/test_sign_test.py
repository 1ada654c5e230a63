"""The sign test: its bound by exact arithmetic, its premise for any noise, its power on a noisy machine."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clozekit.bench.sign_test import ALPHA, LOOKS, ORDERS, Run, bound, chances, interval, toss

THRESHOLD = 1.25
PLACES = 4 * LOOKS[-1]  # launches of a whole run


def drift(rng):
    """Clocks and neighbours (1.5 %, over 150 launches), a thermal ramp of 2 %, noise, and 3 % of outliers."""
    keep, log, walk = np.exp(-1 / 150), 0.0, []
    for step in rng.normal(0, 0.015 * np.sqrt(1 - np.exp(-2 / 150)), PLACES):
        log = keep * log + step
        walk.append(log)
    spikes = (rng.random(PLACES) < 0.03) * rng.exponential(0.15, PLACES)
    return np.exp(np.array(walk) + 0.02 * np.arange(PLACES) / PLACES + rng.normal(0, 0.006, PLACES) + spikes)


def heavy_tails(rng):
    return 1 + 0.02 * rng.pareto(0.8, PLACES)  # of no finite mean


def random_walk(rng):
    return np.exp(np.cumsum(rng.normal(0, 0.02, PLACES)))


def in_step(rng):
    """A neighbour who disturbs the outer places of every block, with the inner ones left alone."""
    return np.tile([1.3, 1, 1, 1.3], PLACES // 4)


def ramp(rng):
    return np.linspace(1, 3, PLACES) ** 2


def crowded(rng):
    """Neighbours interrupt every third launch, for as long as several take."""
    return 1 + (rng.random(PLACES) < 1 / 3) * rng.exponential(5, PLACES)


MACHINES = [drift, heavy_tails, random_walk, in_step, ramp, crowded]


def race(machine, share, seed, order=toss):
    """A run with a candidate at this share of its bar."""
    rng, coin = np.random.default_rng(seed), random.Random(seed)
    slower = machine(rng)
    run = Run(THRESHOLD)
    for block in itertools.count():
        if run.verdict:
            return run
        taken = dict.fromkeys("RC", math.inf)
        for place, who in enumerate(order(coin)):
            taken[who] = min(taken[who], slower[4 * block + place] * (share * THRESHOLD if who == "C" else 1.0))
        run.add(taken["R"], taken["C"])
    raise AssertionError


def test_the_bound_holds_exactly():
    at_the_bar = chances(Fraction(1, 2))
    assert at_the_bar["failed"] <= ALPHA
    assert at_the_bar["passed"] <= ALPHA
    assert at_the_bar["failed"] ** 2 <= Fraction(1, 10**6)
    assert sum(at_the_bar.values()) == 1


def test_the_first_look_is_the_first_that_can_decide():
    assert bound(LOOKS[0]) == LOOKS[0]
    with pytest.raises(StopIteration):
        bound(LOOKS[0] - 1)


positive = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100)
disturbance = st.fractions(min_value=0, max_value=100, max_denominator=100)


@given(
    factors=st.lists(positive, min_size=4, max_size=4),
    beside=st.lists(disturbance, min_size=4, max_size=4),
    reference=positive,
    threshold=st.fractions(min_value=1, max_value=4, max_denominator=100),
    share=st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=100),
)
def test_whatever_the_noise_one_side_of_the_coin_at_most_votes_slow(factors, beside, reference, threshold, share):
    votes = 0
    for order in ORDERS:
        taken: dict[str, list[Fraction]] = {"R": [], "C": []}
        for who, factor, extra in zip(order, factors, beside, strict=True):
            taken[who].append(factor * reference * (share * threshold if who == "C" else 1) + extra)
        run = Run(threshold)
        run.add(min(taken["R"]), min(taken["C"]))
        votes += run.slow
    assert votes <= 1


@pytest.mark.parametrize("machine", MACHINES)
def test_a_candidate_at_its_bar_is_not_failed(machine):
    """150 runs, of which 0.15 at most may fail; 4 would have a probability below 1e-4."""
    verdicts = [race(machine, 1.0, seed).verdict for seed in range(150)]
    assert verdicts.count("failed") <= 3
    assert verdicts.count("undecided") >= 144


def test_the_coin_is_what_holds_the_bound():
    """Always in the same order, a candidate at its bar is failed by whoever disturbs in step."""
    assert race(in_step, 1.0, 0, order=lambda coin: "CRRC").verdict == "failed"


@pytest.mark.parametrize("machine", [drift, ramp, crowded])
@pytest.mark.parametrize(("share", "verdict"), [(1.05, "failed"), (0.95, "passed")])
def test_five_percent_are_told_within_sixty_blocks(machine, share, verdict):
    runs = [race(machine, share, seed) for seed in range(60)]
    assert {run.verdict for run in runs} == {verdict}
    assert max(len(run.times) for run in runs) <= 60


def test_a_run_is_over_at_its_last_look():
    run = Run(THRESHOLD)
    for block in range(LOOKS[-1]):
        assert run.verdict is None
        run.add(1.0, 1.0 if block % 2 else 2.0)
    assert run.verdict == "undecided"


def test_what_the_clock_cannot_tell_is_no_vote():
    run = Run(1.0, resolution=0.1)
    for candidate in (0.85, 1.15):  # within the resolution of both times
        run.add(1.0, candidate)
    assert (run.slow, run.fast) == (0, 0)
    run.add(1.0, 1.25)
    run.add(1.0, 0.75)
    assert (run.slow, run.fast) == (1, 1)


def test_a_threshold_below_one_has_no_bound():
    for threshold in (0.9, float("nan")):
        with pytest.raises(ValueError, match="at least 1"):
            Run(threshold)


def test_the_interval_leaves_out_what_a_coin_would_leave_out():
    assert interval([1.0]) == (1.0, 1.0)
    assert interval(range(7)) == (0, 6)  # 2 / 2**7 > 1 %: any could be the lowest
    assert interval(range(12)) == (1, 10)  # 2 * 13 / 2**12 <= 1 %, 2 * 79 / 2**12 is not


def test_the_ratio_is_that_of_the_faster_launches():
    run = race(drift, 0.9, 3)
    ratio, low, high = run.ratio()
    assert low <= ratio <= high
    assert ratio == pytest.approx(0.9 * THRESHOLD, rel=0.01)
