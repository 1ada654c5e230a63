"""Measure a candidate beside its reference on one device, and judge the ratio of their times.

    Race(device, reference, candidate, draw, differ, threshold=1.25).measure()
    Measured(verdict="passed", ratio=1.02, low=1.01, high=1.04, pairs=24, reference_us=41.2, candidate_us=42.1)

Both are launched in turns, in an order by lot (`sign_test`). Before each launch what the last one left in its buffers is
overwritten and the device's cache is cold; each pair gets inputs that nobody has seen; when it has been timed, the candidate's
answer is compared with the reference's. Short launches are timed many at once, without the host in between. A block during which
the device was throttled is discarded. A candidate that is found slow is measured once more before it is failed.
"""

import math
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from clozekit.bench.pace import Pace
from clozekit.bench.sign_test import Run, toss
from clozekit.protocol import Measured
from clozekit.report import Problem

WARM_SECONDS = 0.2  # of work, until clocks and caches of code are as they will be
WARM_ROUNDS = (3, 1000)  # at least, at most
SHORT = 200e-6  # seconds; below that the device may have to wait for the host, above all for several launches
BATCH = 400e-6  # seconds that launches timed at once take together
BATCH_LIMIT = 64  # launches
DISCARDS = 40  # blocks of one run

Launch = Callable[[], object]


class Device(Protocol):
    """What times launches. `resolution`: by how many seconds one time may be off."""

    name: str
    resolution: float

    def synchronise(self) -> None:
        """Wait until all that was launched is done."""

    def flush_cache(self) -> None:
        """Leave nothing of the tensors in the cache."""

    def timer(self, prepare: Launch, launch: Launch, repeats: int) -> Callable[[], float]:
        """What takes the time of one launch, in seconds; the mean of `repeats` launches, if these are more than one.

        Before each of them, and not timed: `prepare`, then the cache is flushed.
        """

    def pace(self) -> Pace | None:
        """None where the machine does not tell."""


class Contestant(Protocol):
    """A computation with buffers of its own."""

    def give(self, inputs: Any) -> None:
        """Other values into the same buffers."""

    def clear(self) -> None:
        """Overwrite what the last launch left."""

    def launch(self) -> None:
        """Compute the answer from the inputs."""

    def answer(self) -> Any:
        """What the last launch has computed."""


class Stopped(Exception):
    """There is no more to measure; `verdict` and `problem` say why."""

    def __init__(self, verdict: Any, problem: Problem):
        super().__init__(problem.kind)
        self.verdict, self.problem = verdict, problem


@dataclass
class Race:
    """All that one measurement takes.

    Attributes:
        draw: inputs that nobody has seen, for both.
        differ: why the candidate's answer is not the reference's.
        threshold: how many times as long as the reference the candidate may take.
        seconds: after which it is given up.
        coin: secret, or a candidate could know when it is timed.
    """

    device: Device
    reference: Contestant
    candidate: Contestant
    draw: Callable[[], Any]
    differ: Callable[[Any, Any], Problem | None]
    threshold: float
    seconds: float = 30.0
    coin: random.Random = field(default_factory=random.SystemRandom)
    clock: Callable[[], float] = time.monotonic
    deadline: float = field(init=False)
    runs: list[Run] = field(init=False, default_factory=list)

    def measure(self) -> Measured:
        """The verdict, and the times of the last run."""
        self.deadline = self.clock() + self.seconds
        try:
            while len(self.runs) < 2 and self.run() == "failed":
                pass
        except Stopped as stopped:
            return self.measured(stopped.verdict, stopped.problem)
        outcomes = [run.verdict for run in self.runs]
        if outcomes == ["passed"]:
            return self.measured("passed", None)
        if outcomes == ["failed", "failed"]:
            return self.measured("failed", Problem("speed-slow", self.facts()))
        if outcomes == ["undecided"]:
            return self.measured("undecided", Problem("speed-close", self.facts()))
        return self.measured("undecided", Problem("speed-unconfirmed", self.facts()))

    def run(self) -> Any:
        """One run of the sign test, from warm-up to verdict."""
        timers = self.warm_up()
        run = Run(self.threshold, self.device.resolution)
        self.runs.append(run)
        discarded = 0
        while run.verdict is None:
            taken = self.block(timers)
            pace = self.device.pace()
            if pace is None or not pace.throttled:
                run.add(taken["R"], taken["C"])
                continue
            discarded += 1
            if discarded == DISCARDS:
                facts = {"mhz": f"{pace.mhz:.0f}", "full": f"{pace.full:.0f}", "reason": pace.reason or "?"}
                raise Stopped("undecided", Problem("speed-throttled", facts))
        return run.verdict

    def warm_up(self) -> dict[str, Callable[[], float]]:
        """Launch until all is warm, and choose how to time."""
        timers = self.timers(repeats=1)
        spent, rounds, least = 0.0, 0, math.inf
        while rounds < WARM_ROUNDS[0] or (spent < WARM_SECONDS and rounds < WARM_ROUNDS[1]):
            taken = self.pair("RC", timers)
            spent, rounds = spent + sum(taken.values()), rounds + 1
            least = min(least, *taken.values()) if rounds > 1 else math.inf  # the first launch loads the code
        if least >= SHORT:
            return timers
        timers = self.timers(min(BATCH_LIMIT, math.ceil(BATCH / max(least, BATCH / BATCH_LIMIT))))
        self.pair("RC", timers)
        return timers

    def timers(self, repeats: int) -> dict[str, Callable[[], float]]:
        both = {"R": self.reference, "C": self.candidate}
        return {name: self.device.timer(each.clear, each.launch, repeats) for name, each in both.items()}

    def block(self, timers: dict[str, Callable[[], float]]) -> dict[str, float]:
        """Two pairs in an order by lot; of each contestant the faster launch."""
        order = toss(self.coin)
        first, second = self.pair(order[:2], timers), self.pair(order[2:], timers)
        return {name: min(first[name], second[name]) for name in first}

    def pair(self, order: str, timers: dict[str, Callable[[], float]]) -> dict[str, float]:
        """Both, one after the other, on the same fresh inputs; then the answers are compared."""
        if self.clock() > self.deadline:
            raise Stopped("undecided", Problem("speed-budget", {"seconds": f"{self.seconds:g}"}))
        inputs = self.draw()
        for contestant in (self.reference, self.candidate):
            contestant.give(inputs)
            contestant.clear()  # who is first finds no answer of the other's
        self.device.synchronise()
        taken = {name: timers[name]() for name in order}
        if problem := self.differ(self.candidate.answer(), self.reference.answer()):
            raise Stopped("failed", problem)
        return taken

    def measured(self, verdict: Any, why: Problem | None) -> Measured:
        """With the figures of the last run that has any."""
        run = next((run for run in reversed(self.runs) if run.times), None)
        if run is None:
            return Measured(verdict, why=why)
        ratio, low, high = run.ratio()
        reference, candidate = (statistics.median(each) * 1e6 for each in zip(*run.times, strict=True))
        return Measured(verdict, ratio, low, high, 2 * len(run.times), reference, candidate, why)

    def facts(self) -> dict[str, str]:
        """What a verdict that is not a pass is told with."""
        ratio, low, high = self.runs[-1].ratio()
        return {"yours": f"{ratio:.2f}", "low": f"{low:.2f}", "high": f"{high:.2f}", "bar": f"{self.threshold:g}"}
