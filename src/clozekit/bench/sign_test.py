"""Is a candidate slower than its bar? A sequential sign test on blocks of paired times, exact whatever the noise is like.

    run = Run(threshold=1.25)                       the candidate may take 1.25 times as long as the reference
    while run.verdict is None:
        order = toss(coin)                          "RCCR" or "CRRC": R the reference, C the candidate
        run.add(reference=4.1e-4, candidate=4.6e-4)         seconds, of each the faster one of its two launches
    run.verdict                                     "passed", after 12 blocks

A block is four launches in one of two orders, by a coin that we toss when all before it is measured. It votes *slow* if the
faster of the candidate's two launches took more than `threshold` times as long as the faster of the reference's two: a neighbour
who interrupts one launch in three spoils few votes so, where he would spoil most sums.

**A candidate that meets its bar is voted slow with probability 1/2 at most, whatever came before.** Let the launch at place p
take g[p] * t + e[p]: t is the undisturbed time of the kernel that runs there, b or at most threshold * b; the machine slows it
down by the factor g[p] > 0 (its clock, its heat, its neighbours) and by e[p] >= 0 beside that (an interrupt). Nothing else is
assumed of g and e: they may drift, and hang together within and across blocks. Only the coin is tossed without a look at
them, and they do not depend on the coin. Let X be the lesser g[p] * b + e[p] of the two outer places, Y that of the two inner
ones. With the candidate outside, a slow vote says that the lesser g[p] * t + e[p] of the outer places is more than threshold * Y;
as t <= threshold * b and threshold >= 1, it is at most threshold * X, so that X > Y. With the candidate inside, a slow vote
says in the same way that Y > X. So at most one side of the coin votes slow. ∎

Hence of n blocks no more slow votes are to be feared than heads of n tosses. A run looks at the votes after each number of
blocks in LOOKS, and fails where so many are slow that a coin does it with a probability of at most ALPHA / len(LOOKS). It
fails wrongly with a probability of at most ALPHA = 1/1000; and as a second run has coins of its own, two in a row fail
wrongly with at most 1e-6. The same bounds hold for passing, as far as the machine only multiplies (e = 0).

What it rests on: the machine treats both kernels alike, and no launch makes the next one slower (hence a cold cache and a
synchronised device before each); a block is discarded for the state of the machine, never for its times. A clock that may be
off by `resolution` counts in favour of neither side.
"""

import math
import random
import statistics
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Literal

Outcome = Literal["passed", "failed", "undecided"]

ALPHA = Fraction(1, 1000)  # of one run, and of each side; its square is what two runs in a row may do wrongly
LOOKS = (12, 24, 60, 160)  # blocks; the first one is the smallest at which a coin's chance is small enough
CONFIDENCE = Fraction(99, 100)  # of the interval around the ratio
ORDERS = ("RCCR", "CRRC")  # in each both are as early as late


def toss(coin: random.Random) -> str:
    """The order of the next block."""
    return coin.choice(ORDERS)


class Run:
    """One run of the test. `verdict` is None as long as more blocks are wanted.

    Args:
        threshold: how many times the reference's time the candidate may take.
        resolution: by how many seconds a time may be off.

    Raises:
        ValueError: a threshold below 1, for which the bound would not hold.
    """

    def __init__(self, threshold: float, resolution: float = 0.0):
        if not threshold >= 1:
            raise ValueError(f"a threshold of {threshold}: what is measured needs one of at least 1")
        self.threshold, self.resolution = threshold, resolution
        self.slow = self.fast = 0
        self.times: list[tuple[float, float]] = []
        self.verdict: Outcome | None = None

    def add(self, reference: float, candidate: float) -> None:
        """The faster launches of one more block; a vote that the clock cannot tell is none."""
        self.times.append((reference, candidate))
        self.slow += candidate - self.resolution > self.threshold * (reference + self.resolution)
        self.fast += candidate + self.resolution < self.threshold * (reference - self.resolution)
        blocks = len(self.times)
        if blocks not in LOOKS:
            return
        if self.slow >= bound(blocks):
            self.verdict = "failed"
        elif self.fast >= bound(blocks):
            self.verdict = "passed"
        elif blocks == LOOKS[-1]:
            self.verdict = "undecided"

    def ratio(self) -> tuple[float, float, float]:
        """The median ratio of the candidate's times to the reference's, and an interval around it.

        The interval holds every threshold that a sign test at 1 - CONFIDENCE would leave undecided, at this number of blocks.
        """
        ratios = sorted(candidate / reference for reference, candidate in self.times)
        return statistics.median(ratios), *interval(ratios)


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """The order statistics of sorted ratios between which the true one lies; the outermost ones where there are few."""
    count = len(ratios)
    left_out = [k for k in range((count + 1) // 2) if 2 * _tail(count, count - k) <= 1 - CONFIDENCE]
    outside = max(left_out, default=0)
    return ratios[outside], ratios[count - 1 - outside]


@cache
def bound(blocks: int) -> int:
    """So many equal votes among so many blocks decide."""
    return next(votes for votes in range(blocks + 1) if _tail(blocks, votes) <= ALPHA / len(LOOKS))


def _tail(tosses: int, heads: int) -> Fraction:
    """The probability of so many heads or more."""
    return Fraction(sum(math.comb(tosses, k) for k in range(heads, tosses + 1)), 2**tosses)


def chances(slow: Fraction) -> dict[Outcome, Fraction]:
    """With which probability a run ends how, exactly, if each block votes slow with this one, and else fast."""
    ended: dict[Outcome, Fraction] = {"passed": Fraction(0), "failed": Fraction(0)}
    going_on = {0: Fraction(1)}  # the share of runs with so many slow votes
    for blocks in range(1, LOOKS[-1] + 1):
        going_on = {
            votes: going_on.get(votes, 0) * (1 - slow) + going_on.get(votes - 1, 0) * slow
            for votes in range(blocks + 1)
        }
        if blocks in LOOKS:
            for votes in range(blocks + 1):
                if votes >= bound(blocks):
                    ended["failed"] += going_on.pop(votes)
                elif blocks - votes >= bound(blocks):
                    ended["passed"] += going_on.pop(votes)
    return ended | {"undecided": sum(going_on.values(), Fraction(0))}
