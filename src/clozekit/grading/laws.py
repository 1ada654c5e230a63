"""Answers that are drawn at random: their law is held against what they look like, never their numbers.

    @reference("init")
    def law(fan_out, fan_in):                            the answer has to be a tensor of this shape, its elements
        return Normal((fan_out, fan_in), std=0.02)       independent of each other and of this law

    complaint(answer, Normal((512, 64), 0.02))           Statistic(".std()", 0.0252, 0.02, bar=0.0006)

Each statistic has a bar which an honest answer exceeds with a probability of at most RISK, proven for every size and not
only in the limit: quantiles of the normal distribution; Laurent and Massart 2000, lemma 1, for sums of squares; Hoeffding 1963
for bounded elements; Dvoretzky, Kiefer, Wolfowitz with the constant of Massart 1990 for the whole distribution; Hsu, Kakade
and Zhang 2012 for squares of sums of bounded elements. A grading asks for some thousands of them at most.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import NamedTuple

import torch
from msgspec import Struct
from torch import Tensor

RISK = 1e-10
X = math.log(2 / RISK)  # what a bound of the form exp(-x) for both sides needs


class Normal(Struct, tag=True, frozen=True):
    """Independent normal elements of mean 0."""

    shape: tuple[int, ...]
    std: float

    def of_size(self, std: float) -> "Normal":
        return Normal(self.shape, std)

    def cdf(self, x: Tensor) -> Tensor:
        return torch.special.ndtr(x / self.std)


class Uniform(Struct, tag=True, frozen=True):
    """Independent elements, uniform between -bound and bound."""

    shape: tuple[int, ...]
    bound: float

    @property
    def std(self) -> float:
        return self.bound / math.sqrt(3)

    def of_size(self, std: float) -> "Uniform":
        return Uniform(self.shape, std * math.sqrt(3))

    def cdf(self, x: Tensor) -> Tensor:
        return ((x / self.bound + 1) / 2).clamp(0, 1)


Law = Normal | Uniform


class Statistic(NamedTuple):
    """One number that an answer shows, what it ought to be, and how far off it may be; `name` follows the answer's path."""

    name: str
    value: float
    expected: float
    bar: float

    @property
    def off(self) -> float:
        """In bars."""
        return abs(self.value - self.expected) / self.bar if math.isfinite(self.value + self.expected) else math.inf


def complaint(answer: Tensor, law: Law) -> Statistic:
    """Of a tensor with the shape of the law, the first statistic beyond its bar, else the one that is farthest off."""
    x = answer.double()
    mean, std, *sums = _moments(x, law)
    asked = [mean, std, _share(x, law), *sums]
    return next((each for each in asked if each.off > 1), max(asked, key=lambda each: each.off))


def alike(answer: Tensor, other: Tensor, law: Law) -> bool:
    """Whether two tensors with the shape of this law, both of which may be wrong, could be drawn from one."""
    x, y = answer.double(), other.double()
    wide = law.of_size(max(law.std, *(each.square().mean().sqrt().item() for each in (x, y))))
    near = all(_near(a, b) for a, b in zip(_moments(x, wide), _moments(y, wide), strict=True))
    x, y = x.flatten().sort().values, y.flatten().sort().values
    apart = (torch.searchsorted(x, x, right=True) - torch.searchsorted(y, x, right=True)).abs().max().item() / len(x)
    return near and apart <= 2 * _band(len(x))


def _near(a: Statistic, b: Statistic) -> bool:
    """Elements that repeat others have larger sums than the law has, and as much wider bars."""
    times = max(1.0, a.value / a.expected, b.value / b.expected) if a.expected else 1.0
    return abs(a.value - b.value) <= 2 * a.bar * times


def _moments(x: Tensor, law: Law) -> Iterator[Statistic]:
    """The mean, the mean square, and that of the sums along each axis, which tells elements that repeat others."""
    n, normal = x.numel(), isinstance(law, Normal)
    quantile = NormalDist().inv_cdf(1 - RISK / 2) if normal else math.sqrt(6 * X)
    yield Statistic(".mean()", x.mean().item(), 0.0, quantile * law.std / math.sqrt(n))
    share = 2 * math.sqrt(X / n) + 2 * X / n if normal else 3 * math.sqrt(X / (2 * n))  # of the mean square
    share = max(math.sqrt(1 + share) - 1, 1 - math.sqrt(max(0.0, 1 - share)))  # of its root
    yield Statistic(".std()", x.square().mean().sqrt().item(), law.std, law.std * share)
    for axis in range(x.ndim if x.ndim > 1 else 0):
        others = ", ".join(str(each) for each in range(x.ndim) if each != axis)
        sums = x.transpose(0, axis).flatten(1).sum(1)
        k, variance = len(sums), law.std**2 * n / len(sums)
        tail = 1 if normal else 3  # as many times its variance is a normal sum with tails no smaller than of this one
        most = tail * (1 + 2 * math.sqrt(X / k) + 2 * X / k)
        yield Statistic(f".sum({others}).square().mean()", sums.square().mean().item(), variance, (most - 1) * variance)


def _share(x: Tensor, law: Law) -> Statistic:
    """How many elements are up to some number: where that is farthest from what the law says."""
    n, x = x.numel(), x.flatten().sort().values
    below, steps = law.cdf(x), torch.arange(n + 1) / n
    more, fewer = steps[1:] - below, below - steps[:-1]
    if more.max() >= fewer.max():
        i = int(more.argmax())
        return Statistic(f".le({x[i]:.3g}).float().mean()", (i + 1) / n, below[i].item(), _band(n))
    i = int(fewer.argmax())
    return Statistic(f".lt({x[i]:.3g}).float().mean()", i / n, below[i].item(), _band(n))


def _band(n: int) -> float:
    return math.sqrt(X / (2 * n))
