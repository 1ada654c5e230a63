"""One submission on its way through a grader: its workers, the calls of each test, and the diagnosis at the end.

Grading
  ├─ visible: Candidate       one worker for the visible cases
  ├─ hidden: Candidate        another for the hidden ones: what they send must not be there to be printed later
  ├─ trials: {test: [Question, ...]}
  ├─ unasked: {test: [Question, ...]}     what was asked again, see `again`
  └─ scripts: {test: [Question, ...]}     all of it, in order
"""

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType

import numpy
import torch

from clozekit.grading.again import ROUNDS
from clozekit.grading.candidate import Candidate, Patience, Spawn
from clozekit.grading.check import Check
from clozekit.grading.diagnosis import diagnose
from clozekit.grading.evidence import COMPILE_SECONDS, Device, Evidence, Solution
from clozekit.grading.marks import references
from clozekit.grading.measured import Bars, Yardstick, growths, nearest
from clozekit.grading.questions import Question, Truth
from clozekit.protocol import Limits
from clozekit.report import Growth, Meter, MeterName, Problem, Roofline


@dataclass
class Source:
    """What is graded, what every known mistake would have looked like in its place, and what it may not call."""

    text: str
    name: str
    mistaken: Mapping[str, str] = field(default_factory=dict)
    rounding: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()


class Grading:
    """Everything that belongs to the grading of one source with one seed."""

    def __init__(
        self,
        spawn: Spawn,
        source: Source,
        limits: Limits,
        seed: int,
        memory: dict[bytes, Truth],
        solution: Solution | None = None,
        yardstick: Yardstick | None = None,
        device: Device | None = None,
    ):
        self.spawn, self.source, self.limits, self.seed, self.memory = spawn, source, limits, seed, memory
        patience = Patience()
        self.visible = Candidate(spawn, source.text, source.name, limits, patience=patience)
        self.hidden = Candidate(spawn, source.text, source.name, limits, patience=patience)
        self.trials: dict[str, list[Question]] = {}
        self.unasked: dict[str, list[Question]] = {}
        self.scripts: dict[str, list[Question]] = {}
        self.evidence = Evidence(spawn, source.text, source.name, limits, solution, device) if solution else None
        self.yardstick = yardstick
        self.rehearsal = False
        self.veiled: set[str] = set()
        once = [] if solution else [ROUNDS]  # a kernel's interpreter is slow
        self.rounds = itertools.chain(once, itertools.repeat(0))

    def check(self, test: str, grader: ModuleType, hidden: bool) -> Check:
        """The `check` of one test; from here on its draws are reproducible from the seed and the test's name."""
        number = self.reseed(test)
        self.trials[test], self.unasked[test] = [], []
        if hidden:
            self.veiled.add(test)
        candidate = None if self.rehearsal else self.hidden if hidden else self.visible
        if candidate:
            candidate.renew()
        check = Check(
            candidate,
            references(grader),
            self.memory,
            self.trials[test],
            self.unasked[test],
            self.source.forbidden,
            self.evidence,
            hidden,
            itertools.count(1).__next__,
            random.Random(number + 1),
            self.rounds,
            self.yardstick,
        )
        self.scripts[test] = check.script
        return check

    def reseed(self, name: str) -> int:
        """Seed every generator that a case may draw from. (torch.manual_seed would import torch._dynamo: a second.)"""
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        torch.default_generator.manual_seed(number >> 1)
        numpy.random.seed(number & 0xFFFFFFFF)
        random.seed(number)
        return number

    def diagnose(self) -> str | None:
        """The known mistake that this submission makes, if its wrong answers are those of one.

        The mistakes are the author's code, so one worker runs them all, one after the other.
        """
        suspect, kernels = (
            Candidate(self.spawn, "", self.source.name, self.limits, alone=alone) for alone in (False, True)
        )

        def price(question: Question, suspect: Candidate) -> Mapping[MeterName, Meter] | Problem:
            assert self.evidence is not None
            assert question.priced is not None
            answer = suspect.ask(question.request, [], COMPILE_SECONDS)
            kernels.become(suspect.source)
            return question.judge(answer) or self.evidence.price(question.priced, answer.plan, kernels)

        try:
            return diagnose(self.trials, self.source.mistaken, suspect, self.source.rounding, price)
        finally:
            suspect.stop()
            kernels.stop()

    def meters(self) -> list[Meter]:
        """What the costs were, as far as they are anybody's business."""
        if self.evidence:
            return list(self.evidence.meters.values())
        return nearest(meter for _, meter in self._measured())

    def growths(self) -> list[Growth]:
        """How these costs grow, where a grader measures calls of several sizes."""
        return growths(self._measured())

    def _measured(self) -> Iterator[tuple[str, Meter]]:
        """What visible calls of torch cost, and in which test."""
        for test, questions in self.trials.items():
            for question in questions if test not in self.veiled else ():
                for meter in question.costs(question.answer).values():
                    yield test, meter

    def rooflines(self) -> list[Roofline]:
        """Where the kernels of visible calls of full size stand."""
        return self.evidence.rooflines if self.evidence else []

    def close(self) -> None:
        """End the workers."""
        if self.evidence:
            self.evidence.close()
        self.visible.stop()
        self.hidden.stop()


def measures(source: str, thresholds: Bars, kernel: bool, seed: int) -> tuple[Solution | None, Yardstick | None]:
    """What answers are measured by: the solution of an exercise, as a kernel or as torch."""
    if kernel:
        return Solution(source, thresholds, seed), None
    return None, Yardstick(source, thresholds) if thresholds else None
