"""What a refused tensor looks like: where it is off, and its worst row."""

import math

import pytest
import torch

from clozekit.grading.compare import Leaf, difference
from clozekit.grading.pictures import COLUMNS, ROWS, draw
from clozekit.grading.tolerance import BAR, expect


def leaf(off: torch.Tensor, answer: torch.Tensor | None = None, value: torch.Tensor | None = None) -> Leaf:
    """A leaf that is off by so many bars."""
    value = torch.zeros_like(off) if value is None else value
    return Leaf(off if answer is None else answer, value, off * BAR)


def spotted(*shape: int, at: list[tuple[int, ...]]) -> torch.Tensor:
    off = torch.zeros(shape, dtype=torch.float64)
    for place in at:
        off[place] = 10.0
    return off


def test_a_map_shows_the_last_two_axes_and_the_worst_along_all_others():
    off = spotted(2, 3, 4, at=[(0, 0, 1), (1, 2, 3)])
    assert draw(leaf(off)).errors == ["0900", "0000", "0009"]


def test_a_vector_is_a_map_of_one_row():
    assert draw(leaf(spotted(5, at=[(1,), (4,)]))).errors == ["09009"]


@pytest.mark.parametrize("shape", [(24, 48), (25, 49), (1000, 3), (3, 1000), (1, 100_000), (7, 500, 500)])
def test_a_map_of_any_tensor_is_small_and_loses_no_element(shape):
    off = spotted(*shape, at=[(0,) * len(shape), tuple(length - 1 for length in shape)])
    errors = draw(leaf(off)).errors
    assert len(errors) <= ROWS
    assert len({len(row) for row in errors}) == 1
    assert len(errors[0]) <= COLUMNS
    assert errors[0][0] == errors[-1][-1] == "9"


def test_the_levels_tell_orders_of_magnitude_from_the_bar_to_the_worst():
    assert draw(leaf(torch.tensor([0.5, 1.0, 1.001, 10.0, 1e3, 1e9], dtype=torch.float64))).errors == ["001139"]


def test_infinite_and_nan_are_the_farthest_and_hide_no_difference_between_the_others():
    assert draw(leaf(torch.tensor([math.inf, 0.0, 10.0, 1e6], dtype=torch.float64))).errors == ["9029"]


@pytest.mark.parametrize(
    "off", [torch.full((3, 60), 5.0), spotted(3, 60, at=[(1, 2)])], ids=["all off", "one element off"]
)
def test_what_a_sentence_says_has_no_map(off):
    assert draw(leaf(off.double())) is None


def test_the_worst_row_is_shown_beside_the_expected_one():
    answer = torch.tensor([[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [math.nan, 0.123456]]], dtype=torch.float64)
    value = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    off = torch.where(answer == value, 0.0, 3.0)
    off[1, 1, 0] = math.inf
    picture = draw(leaf(off, answer, value))
    assert picture.shape == [2, 2, 2]
    assert (picture.row, picture.yours, picture.expected) == ("[1, 1]", [None, 0.1235], [0.0, 1.0])


def test_a_long_row_is_not_shown():
    off = spotted(2, COLUMNS + 1, at=[(0, 0), (1, 1)])
    assert draw(leaf(off)).yours == []
    assert len(draw(leaf(off[:, :COLUMNS])).yours) == COLUMNS


def test_a_number_has_no_picture():
    assert draw(leaf(torch.tensor(5.0))) is None


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.float64])
def test_every_kind_of_tensor_can_be_drawn(dtype):
    value = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
    answer = value.clone()
    answer[0, :2] = value[1, :2]
    picture = draw(difference(answer, expect(lambda: value, (), dtype=dtype)).leaf)
    assert picture.errors == ["990", "000"]
    assert picture.yours == ([] if dtype.is_complex else [1.0, 0.0, 1.0])


def test_a_right_answer_draws_nothing(grade, solution, rms_norm):
    """And a wrong one is drawn for visible and hidden cases alike: what is told of it, the report decides."""
    assert all(test.picture is None for test in grade(solution).tests)
    wrong = grade(rms_norm.mistaken(rms_norm.mistakes["squares_in_half"]))
    drawn = [test.picture for test in wrong.tests if test.picture]
    assert drawn
    assert all(any("0" in row for row in picture.errors) for picture in drawn if picture.errors)


def test_the_same_seed_draws_the_same_picture(grade, rms_norm):
    source = rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"])
    one, two = ([test.picture for test in grade(source).tests] for _ in range(2))
    assert one == two
    assert any(one)


def test_a_wrong_answer_that_has_another_problem_is_not_drawn(author, grade):
    """Only what the message is about."""
    exercise = author()
    zeros = "import torch\n\ndef square(x, scale=2.0):\n    with torch.no_grad():\n        return x.zero_()\n"
    tests = grade(zeros, exercise).tests
    assert {test.problem.kind for test in tests if test.problem} == {"changed"}
    assert all(test.picture is None for test in tests)
