"""Predictions stay as good as docs/gpu_model.md says, beside times measured on four GPUs; and the figures are right."""

import importlib
import math
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark, which is no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.gpu_model.__main__")


@pytest.mark.parametrize(
    ("xs", "ys", "rho"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 31], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),  # 1 - 6 · 2 / (4 · 15)
        ([1, 1, 2, 2], [1, 1, 2, 2], 1.0),  # ties share a rank
    ],
)
def test_ranks(model: Any, xs: list[float], ys: list[float], rho: float) -> None:
    assert model.figures.spearman(xs, ys) == pytest.approx(rho)
    assert math.isnan(model.figures.spearman(xs, [7, 7, 7, 7]))


def test_the_median_error(model: Any) -> None:
    assert model.figures.error([1.1, 2.0, 1.5], [1.0, 2.0, 3.0]) == pytest.approx(0.1)


def test_agreement_outside_the_dead_band(model: Any) -> None:
    pairs = [
        (3.0, 2.5),
        (3.0, 1.5),
        (1.0, 1.5),
        (2.1, 1.9),
    ]  # the second is wrong, the last undecided and would be wrong
    found = model.figures.agreement(pairs, bar=2.0)
    assert found == (pytest.approx(2 / 3), 0.75, 0.5)


def test_predictions_beside_measurements(model: Any) -> None:
    counts = model.counting.load()
    timed = [model._timed(row, counts[row.key]) for row in model.read()]
    bound = [each for each in timed if each.gpu_bound]
    assert len(bound) > 350
    seconds = [each.prediction.seconds for each in bound], [each.row.seconds for each in bound]
    assert model.figures.spearman(*seconds) > 0.98
    assert model.figures.error(*seconds) < 0.12


def test_decisions_beside_measurements(model: Any) -> None:
    counts = model.counting.load()
    timed = [model._timed(row, counts[row.key]) for row in model.read()]
    trusted = [(pair.predicted, pair.measured) for pair in model._pairs(timed) if pair.trusted]
    assert len(trusted) > 100
    assert model.figures.spearman(*zip(*trusted, strict=True)) > 0.93
    assert model.figures.error(*zip(*trusted, strict=True)) < 0.08
    for bar in model.BARS:
        assert model.figures.agreement(trusted, bar).outside >= 0.96, bar
