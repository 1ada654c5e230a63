"""Which programs of a grid are run, and how many each stands for."""

import math
import random

import pytest

from clozekit.meters.sampling import choose

GRIDS = [(1, 1, 1), (7, 1, 1), (4096, 1, 1), (64, 64, 1), (32, 16, 4), (2, 3, 1000), (5, 1, 9)]


@pytest.fixture
def draw():
    return random.Random(0)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("most", [1, 3, 8, 64])
def test_the_chosen_stand_for_all(grid, most, draw):
    chosen = choose(grid, most, draw)
    assert len({program for program, _ in chosen}) == len(chosen)
    assert sum(weight for _, weight in chosen) == pytest.approx(math.prod(grid))
    assert all(0 <= at < size for program, _ in chosen for at, size in zip(program, grid, strict=True))
    axes = sum(size > 1 for size in grid)
    assert len(chosen) <= max(most, 2 * 2**axes)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("most", [1, 27, 64])
@pytest.mark.parametrize("seed", range(3))
def test_a_cost_that_grows_steadily_along_an_axis_comes_out_exactly(grid, most, seed):
    for axis, size in enumerate(grid):
        estimate = sum(weight * program[axis] for program, weight in choose(grid, most, random.Random(seed)))
        assert estimate == pytest.approx(math.prod(grid) * (size - 1) / 2)


def test_of_a_small_grid_all_are_run(draw):
    assert choose((2, 2, 1), 4, draw) == [((x, y, 0), 1.0) for x in range(2) for y in range(2)]


def test_the_last_program_stands_for_itself(draw):
    assert dict(choose((1000, 1, 1), 5, draw))[999, 0, 0] == 1.0


def test_which_programs_are_looked_at_cannot_be_foreseen():
    """A kernel could do its best in these alone."""
    programs = [{program for program, _ in choose((4096, 1, 1), 9, random.Random(seed))} for seed in range(2)]
    assert len(programs[0] & programs[1]) < 5
