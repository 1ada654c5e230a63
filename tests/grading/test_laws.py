"""Random answers: an honest draw is refused about never, another law is, and two draws of one law are alike."""

import math

import pytest
import torch

from clozekit.grading import tape
from clozekit.grading.compare import difference, excess
from clozekit.grading.diagnosis import alike
from clozekit.grading.laws import RISK, Normal, Uniform, complaint
from clozekit.grading.questions import Question, Truth, encode
from clozekit.grading.tolerance import BAR, expect

SHAPES = [(1,), (7,), (1, 1), (5, 3), (300, 100), (1, 30_000), (20, 30, 40)]
LAWS = {"normal": lambda shape: Normal(shape, 0.02), "uniform": lambda shape: Uniform(shape, 0.3)}


def draw(law):
    if isinstance(law, Normal):
        return torch.randn(law.shape) * law.std
    return torch.empty(law.shape).uniform_(-law.bound, law.bound)


def expected(law):
    return expect(lambda: law, ())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", LAWS)
def test_an_honest_draw_stays_far_below_every_bar(name, shape):
    """Of a hundred draws the worst should be near the quantile of a hundredth; the bar is that of RISK."""
    law = LAWS[name](shape)
    torch.manual_seed(1)
    worst = max(complaint(draw(law), law).off for _ in range(100))
    assert worst < 0.85
    assert difference(draw(law), expected(law)) is None
    assert excess(draw(law), expected(law)) < BAR


def test_the_bar_of_a_mean_is_the_quantile_of_the_risk():
    n, std = 400, 0.5
    bar = next(b for b in [complaint(torch.full((n,), 9.0), Normal((n,), std))] if b.name == ".mean()").bar
    assert math.erfc(bar / std * math.sqrt(n) / math.sqrt(2)) == pytest.approx(RISK, rel=1e-3)


SHAPE = (200, 200)
SPREAD = {
    "twice as large": (Normal(SHAPE, 0.02), torch.randn(SHAPE) * 0.04, ".std()"),
    "a tenth larger": (Normal(SHAPE, 0.02), torch.randn(SHAPE) * 0.022, ".std()"),
    "moved": (Normal(SHAPE, 0.02), torch.randn(SHAPE) * 0.02 + 0.002, ".mean()"),
    "uniform for normal": (Normal(SHAPE, 1.0), torch.empty(SHAPE).uniform_(-(3**0.5), 3**0.5), ".float().mean()"),
    "normal for uniform": (Uniform(SHAPE, 3**0.5), torch.randn(SHAPE), ".float().mean()"),
    "one row for all": (Normal(SHAPE, 1.0), torch.randn(1, 200).expand(SHAPE), ".sum(0).square().mean()"),
    "two values": (Normal(SHAPE, 1.0), torch.randn(SHAPE).sign(), ".float().mean()"),
    "no number": (Normal(SHAPE, 1.0), torch.full(SHAPE, math.nan), ".mean()"),
}


@pytest.mark.parametrize("name", SPREAD)
def test_another_law_is_refused_and_the_statistic_named(name):
    law, answer, statistic = SPREAD[name]
    found = difference({"w": answer}, expect(lambda: {"w": law}, ()))
    assert found.kind == "value"
    assert found.where.startswith("['w']")
    assert name == "one row for all" or found.where.endswith(statistic)
    assert found.excess > BAR


def test_sums_tell_elements_that_repeat_others():
    """Rows that are all the same, of numbers spread as evenly as no draw ever is: one by one they look perfect."""
    row = torch.special.ndtri((torch.arange(200) + 0.5) / 200)
    assert ".sum" in complaint(row.expand(SHAPE), Normal(SHAPE, 1.0)).name


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (torch.zeros(3), "shape"),
        (torch.zeros(SHAPE).half(), "dtype"),
        (0.02, "type"),
        (torch.zeros(SHAPE).long(), "dtype"),
    ],
)
def test_what_is_no_such_tensor_is_refused_as_any_other(answer, kind):
    found = difference(answer, expected(Normal(SHAPE, 0.02)))
    assert found.kind == kind
    assert "Normal" not in found.expected


def test_two_draws_of_a_wrong_law_are_alike_and_those_of_two_are_not():
    truth = expected(Normal(SHAPE, 0.02))
    large, larger = (lambda: torch.randn(SHAPE) * 0.06), (lambda: torch.randn(SHAPE) * 0.08)
    flat = torch.empty(SHAPE).uniform_(-0.06 * 3**0.5, 0.06 * 3**0.5)
    assert all(alike(large(), large(), truth) for _ in range(20))
    assert not alike(large(), larger(), truth)
    assert not alike(large(), flat, truth)
    assert not alike(large(), large()[:3], truth)


@pytest.mark.parametrize("name", LAWS)
def test_two_draws_are_alike_when_the_sum_of_one_happens_to_vanish(name):
    """A single row sums to anything; where its elements are 200 times too large, so is what "near" means."""
    shape = 1, 40_000
    truth = expected(LAWS[name](shape))
    large = [torch.randn(shape) * 4 for _ in range(2)]
    none, some = large[0] - large[0].mean(), large[1] - large[1].mean() + 4 / shape[1] ** 0.5
    assert alike(none, some, truth)
    assert alike(some, none, truth)
    assert not alike(none, some * 1.1, truth)


def test_a_law_is_recorded_with_its_case():
    law = {"w": [Normal((4, 5), 0.1), Uniform((3,), 0.2)], "b": torch.ones(2), "none": None}
    request, buffers = encode(None, "f", (), {})
    asked = Question("f()", request, buffers, truth=Truth(expect(lambda: law, ())))
    case = tape.Case("test_f", 1.0, [asked])
    read = tape.read(tape.write(tape.Tape({}, 1, 0, [case]))).cases[0].script[0]
    assert repr(read.truth.answer) == repr(asked.truth.answer)
