"""How well predictions agree with measurements: rank, error, verdicts. Numbers only.

spearman([1, 2, 3], [10, 20, 25])       1.0
agreement([(2.6, 2.9), ...], bar=2.0)   Agreement(outside=0.97, decided=0.61, all=0.92)
"""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from clozekit.meters.roofline import verdict


class Agreement(NamedTuple):
    """Shares of pairs: of those decided, how many rightly; how many are decided; how many would be right without a dead band."""

    outside: float
    decided: float
    all: float


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank."""
    if len(xs) < 2 or len(set(xs)) == 1 or len(set(ys)) == 1:
        return float("nan")
    return statistics.correlation(_ranks(xs), _ranks(ys))


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(values)
    first = {value: place for place, value in reversed(list(enumerate(order)))}
    last = {value: place for place, value in enumerate(order)}
    return [(first[value] + last[value]) / 2 for value in values]


def error(predicted: Sequence[float], measured: Sequence[float]) -> float:
    """The median of the absolute errors, as shares of what was measured."""
    return statistics.median(abs(p - m) / m for p, m in zip(predicted, measured, strict=True))


def agreement(pairs: Sequence[tuple[float, float]], bar: float) -> Agreement:
    """Predicted and measured speed-ups, held against a bar."""
    said = [(verdict(predicted, bar), measured >= bar) for predicted, measured in pairs]
    decided = [(verdict == "passed") == truth for verdict, truth in said if verdict != "undecided"]
    right = [(predicted >= bar) == (measured >= bar) for predicted, measured in pairs]
    share = sum(decided) / len(decided) if decided else float("nan")
    return Agreement(share, len(decided) / len(pairs), sum(right) / len(pairs))
