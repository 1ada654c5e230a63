"""Right answers of kernels: who computed them, what they cost, and what is told of it."""

import json
import re
import shutil

import pytest
import torch

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.describe import describe, next_step
from clozekit.exercise import Exercise
from clozekit.grading.evidence import Solution, other
from clozekit.render import as_json, as_text

SOFTMAX = Exercise(builtin_root(), "triton/fused_softmax")
READ_TWICE = (
    "    x = x.to(tl.float32)\n",
    "    x = x.to(tl.float32) + 0 * tl.load(x_ptr + row * row_stride + col * col_stride, mask=inside)\n",
)


@pytest.fixture
def softmax(grade):
    """softmax(change): the report on our own solution with an edit, as far as the first test that fails."""
    source = blanks.reveal(SOFTMAX.solution)

    def run(*change: str, exercise: Exercise = SOFTMAX):
        assert not change or change[0] in source
        return grade(source.replace(*change) if change else source, exercise, diagnose=True, stop_at_first=True)

    return run


def test_the_solution_is_at_its_own_bars(softmax):
    report = softmax()
    assert report.verdict == "passed"
    meters = as_json(report, SOFTMAX, "en", "all")["meters"]
    assert [meter["name"] for meter in meters] == ["launches", "loads", "stores", "stack"]
    assert all(meter["value"] == meter["bar"] and meter["verdict"] == "passed" for meter in meters[:3])
    assert (meters[3]["value"], meters[3]["verdict"]) == (0, "passed")
    json.dumps(meters)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_bar_that_is_passed_over_is_told_with_its_reason(softmax, language):
    report = softmax(*READ_TWICE)
    assert report.verdict == "failed"
    text = as_text(report, SOFTMAX, language, "all").plain
    assert "1024" in text
    assert "512" in text
    assert SOFTMAX.words(language).thresholds["loads"] in text
    [loads] = [meter for meter in report.meters if meter.name == "loads"]
    assert (loads.value, loads.bar, loads.verdict) == (1024, 512, "failed")


def test_what_a_right_answer_is_refused_for_is_no_mistake_of_the_list(softmax):
    report = softmax(*READ_TWICE)
    assert report.mistake is None
    assert report.tests[0].problem.kind == "meter-loads"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("return y + 0", "torch.Tensor.add"),
        ("return y if x[0, 0] else x", "torch.Tensor.__bool__"),
        ("return y.clamp(0)", "torch.Tensor.clamp"),
    ],
)
def test_the_host_is_told_what_it_may_not_do(softmax, line, name):
    [test] = softmax("return y", line).tests
    assert test.problem.kind == "host"
    assert f"the host computes: {name}" in describe(test.problem, "en")
    assert next_step(test.problem, "en").startswith("Let the kernel do it")


@pytest.fixture
def hidden_cases(tmp_path):
    """fused_softmax with all of its cases hidden."""
    copy = Exercise(tmp_path, SOFTMAX.id)
    for name in ("words_path", "solution_path", "grader_path"):
        getattr(copy, name).parent.mkdir(parents=True)
        shutil.copy(getattr(SOFTMAX, name), getattr(copy, name))
    grader = copy.grader_path.read_text("utf-8")
    copy.grader_path.write_text(
        re.sub(r"^(@pytest.mark.parametrize.*\n)?def test_", r"@pytest.mark.hidden\n\g<0>", grader, flags=re.M), "utf-8"
    )
    return copy


def test_nothing_is_measured_in_public_of_a_hidden_case(softmax, hidden_cases):
    report = softmax(*READ_TWICE, exercise=hidden_cases)
    assert report.verdict == "failed"
    assert report.meters == []
    told = json.dumps(as_json(report, hidden_cases, "en", "visible"))
    assert "1024" not in told
    assert SOFTMAX.words("en").thresholds["loads"] not in told


# What the values of a replay are like.


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(3, 4),
        torch.randn(4, 3).T,
        torch.randn(3, 9)[:, 1::2],
        torch.randn(3, 1).expand(3, 5),
        torch.randn(2, 2).half(),
        torch.tensor(2.0),
        torch.empty(0, 3),
    ],
)
def test_other_values_lie_as_the_first_ones(x):
    drawn = other(x, torch.Generator().manual_seed(1))
    assert (drawn.shape, drawn.dtype, drawn.stride()) == (x.shape, x.dtype, x.stride())
    assert drawn.data_ptr() != x.data_ptr() or not x.numel()


def test_other_values_are_near_the_first_ones_and_nobodys_guess():
    x = torch.tensor([1.0, -2.0, 0.0, torch.inf, 3.0, 1e4])
    one, two = (other(x, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert not torch.equal(one, two)
    ratio = one / x.flip(0)
    assert one[2] == torch.inf
    assert one[3] == 0
    assert ratio[[0, 1, 4, 5]].min() >= 0.7
    assert ratio[[0, 1, 4, 5]].max() <= 0.9


def test_what_is_no_real_number_stays():
    for leaf in (torch.arange(3), torch.tensor([True, False]), 3, "text", None):
        assert other(leaf, torch.Generator()) is leaf


def test_bars_are_the_costs_of_the_solution_times_the_thresholds():
    solution = Solution(blanks.reveal(SOFTMAX.solution), {"launches": 3, "loads": 1.5, "stores": 1, "scratch": 0.5})
    x = torch.randn(4, 10)
    bars = solution.bars("softmax", (x,), {})
    assert bars == {"launches": 3, "loads": 240, "stores": 160, "scratch": 160}
    assert solution.bars("softmax", (x.clone(),), {}) is bars
    assert Solution("", {}).bars("softmax", (x,), {}) == {}


def test_a_mistake_that_only_other_values_show_in_some_case_is_still_named(grade):
    """A right answer to the values of the case, and a wrong one to others, says nothing against the mistake."""
    exercise = Exercise(builtin_root(), "triton/flash_attention")
    report = grade(exercise.mistaken(exercise.mistakes["rescales_total_only"]), exercise)
    assert "replay" in {test.problem.kind for test in report.tests if test.problem}
    assert report.mistake == "rescales_total_only"
