"""Which programs of a grid are run, how many each stands for, and when enough have been seen."""

import math
import random

import pytest

from clozekit.meters.sampling import Sample, choose, surely_above

GRIDS = [(1, 1, 1), (3, 1, 1), (2, 2, 1), (7, 1, 1), (4096, 1, 1), (64, 64, 1), (32, 16, 4), (2, 3, 1000), (5, 1, 9)]


@pytest.fixture
def draw():
    return random.Random(0)


def estimates(sample, cost):
    """What each look takes the cost of all programs for."""
    certain = sum(map(cost, sample.certain))
    return [certain + sum(weight * cost(program) for program, weight in look) for look in sample.looks or [[]]]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("most", [1, 3, 8, 64])
def test_the_chosen_stand_for_all(grid, most, draw):
    sample = choose(grid, most, draw)
    chosen = [*sample.certain, *(program for look in sample.looks for program, _ in look)]
    assert len(set(chosen)) == len(chosen)
    assert set(estimates(sample, lambda program: 1)) == {math.prod(grid)}
    assert all(0 <= at < size for program in chosen for at, size in zip(program, grid, strict=True))
    axes = sum(size > 1 for size in grid)
    assert len(chosen) <= max(most, 2 * 2**axes) + 2**axes


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("most", [1, 27, 64])
@pytest.mark.parametrize("seed", range(3))
def test_a_cost_that_grows_steadily_along_an_axis_comes_out_exactly(grid, most, seed):
    for axis, size in enumerate(grid):
        for estimate in estimates(choose(grid, most, random.Random(seed)), lambda program: program[axis]):  # noqa: B023
            assert estimate == pytest.approx(math.prod(grid) * (size - 1) / 2)


def test_of_a_small_grid_all_are_run(draw):
    assert choose((2, 2, 1), 4, draw) == Sample([(x, y, 0) for x in range(2) for y in range(2)])


def test_the_last_program_stands_for_itself(draw):
    assert (999, 0, 0) in choose((1000, 1, 1), 5, draw).certain


def test_which_programs_are_looked_at_cannot_be_foreseen():
    """A kernel could do its best in these alone."""
    one, other = (
        {program for look in choose((4096, 1, 1), 9, random.Random(seed)).looks for program, _ in look}
        for seed in range(2)
    )
    assert len(one & other) < 5


def idle(program):
    """A grid of 11 x 11 x 11 programs for 1024 rows."""
    x, y, z = program
    return 4000 if x + 11 * y + 121 * z < 1024 else 0


def test_looks_at_programs_that_differ_have_no_bias():
    found = [each for seed in range(400) for each in estimates(choose((11, 11, 11), 64, random.Random(seed)), idle)]
    assert sum(found) / len(found) == pytest.approx(1024 * 4000, rel=0.01)


def test_nobody_is_refused_for_bad_luck():
    """That kernel loads as much as it may: a few looks often say more, and are never taken for a proof."""
    lucky = [estimates(choose((11, 11, 11), 64, random.Random(seed)), idle) for seed in range(400)]
    assert sum(sum(each) / len(each) > 1024 * 4000 for each in lucky) > 100
    assert not any(surely_above(each, 1024 * 4000) for each in lucky)


EXCESSIVE = {  # twice as much as is allowed: the cost of each program along x, and how many programs show it
    "every program": (lambda x: 2, 96),
    "every other program": (lambda x: 4 * (x % 2), 500),
}


@pytest.mark.parametrize("case", EXCESSIVE)
def test_a_kernel_that_costs_twice_as_much_is_refused(case, draw):
    cost, most = EXCESSIVE[case]
    assert surely_above(estimates(choose((4096, 1, 1), most, draw), lambda program: cost(program[0])), 4096)


@pytest.mark.parametrize("scarce", [0.5, 0.1, 0.02])
def test_the_odds_are_fair(scarce):
    """Of looks that are right on average hardly any series wins twenty times the stake, whenever somebody stops."""
    draw = random.Random(1)
    series = [[(draw.random() < scarce) / scarce for _ in range(40)] for _ in range(2000)]
    won = sum(any(surely_above(each[:stop], 1.0, sure=20) for stop in range(1, 41)) for each in series)
    assert 0 < won < len(series) / 20


def test_nothing_is_above_no_bar_but_something():
    assert surely_above([0, 1], 0)
    assert not surely_above([0, 0], 0)
