"""A kernel's answer on a GPU: the plan that the interpreter has proven, compiled, and run where programs run at the same time.

    device = OnDevice(front.bench, solution, seconds=10.0)
    device.judge(proof, script, kernels)        None, or Problem("device-value", {"yours": "0.31", "expected": "0.07", ...})

worker    (the kernels alone) compiles each launch to PTX
here      ptxas assembles it, confined; the answer that comes back is compared as always
bench     buffers of its own; libcuda makes code of the PTX and launches it

Whatever goes wrong there is held against the solution first, in the same way and on the same inputs: only where that one
is right, the submission is to blame.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clozekit import calls, values
from clozekit.bench import entry
from clozekit.bench.job import Launching, Opened, Ran, Run
from clozekit.errors import CannotCheck, why
from clozekit.grading.candidate import Candidate
from clozekit.grading.compare import difference
from clozekit.grading.evidence import Handed, Proof, Solution, counted
from clozekit.kernels import plan
from clozekit.meters import assembling
from clozekit.meters.assembling import Facts
from clozekit.meters.callstring import Blank, CallString
from clozekit.meters.costs import Target
from clozekit.report import Problem
from clozekit.wire import Channel, Gone, TimedOut, Violation

START_SECONDS = 120.0  # to import torch, start CUDA, and wait until others are done with the device
LOAD_SECONDS = 60.0  # for the driver to make code of all PTX of a call
PATIENCE = 2  # processes that are lost, after which no further one is started
LOSSES = ("device-fault", "device-timeout")  # problems after which another process is needed
ROUNDS = 4  # of each call: a race need not show in the first


@dataclass
class Bench:
    """A process that drives a device, borrowed when it is first needed, and another one where that is lost.

    seconds: that the launches of one call may take. opened: what the process said of its device. missing: why there is none.
    lost: how often it went without a kernel's doing.
    """

    borrow: Callable[[], Channel]
    seconds: float
    channel: Channel | None = None
    opened: Opened = field(default_factory=Opened)
    missing: CannotCheck | None = None
    lost: int = 0

    def about(self) -> Opened:
        """The device, which from here on is ours.

        Raises:
            CannotCheck: there is none, which nobody waits for twice.
        """
        if self.missing:
            raise self.missing
        if self.channel is None:
            self.channel = self.borrow()
            try:
                self.opened = self.channel.receive(Opened, time.monotonic() + START_SECONDS)[0]
                if self.opened.impossible:
                    self.missing = CannotCheck(self.opened.impossible)
            except (Gone, TimedOut, Violation) as error:
                self.missing = CannotCheck(Problem("device-silent", why(error)))
            if self.missing:
                self.drop()
                raise self.missing
        return self.opened

    def run(self, request: Run, buffers: list[Any]) -> list[Any] | Problem:
        """The different answers of a plan; or what its kernels did.

        Raises:
            CannotCheck: neither is known.
        """
        self.about()
        assert self.channel is not None
        try:
            deadline = time.monotonic() + LOAD_SECONDS
            self.channel.send(request, buffers, deadline=deadline)
            reply, payload, _ = self.channel.receive(Launching | Ran, deadline)
        except (Gone, TimedOut, Violation) as error:
            raise self.went(Problem("device-unready", why(error))) from None
        try:
            if isinstance(reply, Launching):
                reply, payload, _ = self.channel.receive(Ran, time.monotonic() + self.seconds)
            reader = values.Reader(payload)
            answers = [reader.decode(answer) for answer in reply.answers]
        except TimedOut:
            self.drop()
            return Problem("device-timeout", {"seconds": f"{self.seconds:g}"})
        except (Gone, Violation) as error:  # no kernel ends the process that launches it
            raise self.went(Problem("device-lost", why(error))) from None
        if reply.fault:
            self.drop()
            return Problem("device-fault", {"error": reply.fault})
        if reply.impossible:
            raise CannotCheck(reply.impossible)
        return answers

    def went(self, problem: Problem) -> CannotCheck:
        """The process is gone, again; after a few times no other one is started."""
        self.drop()
        self.lost += 1
        gone = CannotCheck(problem)
        self.missing = gone if self.lost == PATIENCE else None
        return gone

    def drop(self) -> None:
        """Give the process up."""
        if self.channel:
            self.channel.close()
        self.channel = None


class OnDevice:
    """Judges the plans of one submission on a device. `borrow`: the way to a fresh bench process."""

    def __init__(self, borrow: Callable[[], Channel], solution: Solution, seconds: float):
        self.bench, self.solution = Bench(borrow, seconds), solution
        self.known: dict[str, Facts] = {}  # by PTX
        self.losses: list[Problem] = []  # of the device, by this submission

    def judge(self, proof: Proof, script: plan.Plan, kernels: Candidate) -> Problem | None:
        """Why the answer is refused there; None if it is right.

        Raises:
            CannotCheck: the device, or the solution on it, does not work.
        """
        if len(self.losses) == PATIENCE:  # each costs a start; the next one would not teach more
            return of(proof, self.losses[-1])
        targets = self._targets()
        layouts = [Blank(values.DTYPE_NAMES[x.dtype], list(x.shape), list(x.stride())) for x in proof.inputs]
        handed = counted(CallString(proof.text, "", [*layouts], {}), script, kernels, targets, effort=0)
        found = handed if isinstance(handed, Problem) else self._problem(proof, handed, targets)
        if found is None:
            return None
        self._check_solution(proof, targets)
        if found.kind in LOSSES:
            self.losses.append(found)
        if found.kind == "device-value" and self._depends_on_order(proof, script, kernels):
            found = Problem("device-order", found.facts)
        return of(proof, found)

    def _targets(self) -> dict[Target, int]:
        """What to compile for, in PTX that both ptxas and the driver read."""
        opened = self.bench.about()
        target = entry.target_of(opened.capability)
        newest = assembling.ptx_of(opened.cuda // 1000, opened.cuda % 1000 // 10)
        return {target: min(assembling.ptx_version(target), newest)}

    def _problem(self, proof: Proof, handed: Handed, targets: dict[Target, int]) -> Problem | None:
        """What is wrong with the answer of a plan, be it the submission's or the solution's."""
        script, launches = handed
        (target,) = targets
        for launch in launches:
            for compiled in launch.compiled.values():
                if compiled.ptx not in self.known:
                    self.known[compiled.ptx] = assembling.facts(compiled, target)
                error = compiled.error or self.known[compiled.ptx].error
                if error:
                    return Problem("compile", {"kernel": launch.kernel, "target": target, "error": error})
        buffers: list[Any] = []
        inputs = [values.encode(tensor, buffers, strided=True) for tensor in proof.inputs]
        ready, codes = entry.entry(script, launches, target)
        answers = self.bench.run(Run(ready, inputs, ROUNDS), [*buffers, *codes])
        if isinstance(answers, Problem):
            return answers
        for answer in answers:
            if off := difference(answer, proof.truth):
                return Problem("device-value", off.facts())
        return None

    def _check_solution(self, proof: Proof, targets: dict[Target, int]) -> None:
        """Raises CannotCheck where the solution fails as well: then it is the device, a compiler, or we."""
        try:
            handed = self.solution.handed(proof.target, proof.args, proof.kwargs, targets)
        except Exception as error:
            raise CannotCheck(Problem("device-compile", why(error))) from None
        if problem := self._problem(proof, handed, targets):
            ours = Problem("device-solution", why(CannotCheck(problem)))
            raise self.bench.went(ours) if problem.kind in LOSSES else CannotCheck(ours)

    @staticmethod
    def _depends_on_order(proof: Proof, script: plan.Plan, kernels: Candidate) -> bool:
        """Whether the interpreter is wrong as well, once the last program of each launch runs first."""
        buffers: list[Any] = []
        inputs = [values.encode(tensor, buffers, strided=True) for tensor in proof.inputs]
        answer = kernels.ask(calls.Replay(0, script, inputs, backwards=True), buffers)
        return answer.problem is not None or difference(answer.value, proof.truth) is not None


def of(proof: Proof, problem: Problem) -> Problem:
    """A problem with the call that it belongs to."""
    return Problem(problem.kind, {"call": proof.text} | problem.facts)
