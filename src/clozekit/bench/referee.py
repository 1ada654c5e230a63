"""Has one call of a submission measured beside the solution. Both run in workers that the front lends.

    python -m clozekit.bench.referee FD         FD: a stream socket; a Contest comes in, a Measured goes out

on a processor      a worker for each side computes; how long it takes to answer is timed here
on a GPU            a worker for each side makes the call, computing nothing, another one compiles its kernels; a bench process
                    times these

No learner's Python runs here. What is right says the grader's reference.
"""

import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from clozekit.bench import ask, entry
from clozekit.bench.answers import differ, slack
from clozekit.bench.asked import Asked
from clozekit.bench.cpu import Cpu
from clozekit.bench.measure import Race
from clozekit.bench.planned import flat
from clozekit.bench.process import alone
from clozekit.errors import CannotCheck
from clozekit.grading.borrowed import Front
from clozekit.grading.candidate import Candidate, Spawn
from clozekit.grading.evidence import COMPILE_SECONDS, SOLUTION, counted, dry, other
from clozekit.grading.marks import references
from clozekit.grading.tolerance import Expected, expect
from clozekit.meters import assembling
from clozekit.meters.blank import blank
from clozekit.meters.callstring import Blank
from clozekit.meters.costs import Target
from clozekit.protocol import Contest, Measured
from clozekit.report import Problem, Verdict
from clozekit.wire import Channel

Side = tuple[Candidate, Verdict]  # who answers, and the verdict if that fails


def serve(channel: Channel) -> None:
    """One contest. Whatever happens, it is answered."""
    contest, _, _ = channel.receive(Contest)
    try:
        answer = measured(contest, Front(channel).spawn)
    except Exception as error:  # of the author's reference, or ours
        answer = Measured.impossible(error)
    channel.send(answer)


def measured(contest: Contest, spawn: Spawn) -> Measured:
    """Measure it on the device that it names.

    Raises:
        CannotCheck: there is none, or it is too old.
    """
    if contest.device == "cpu":
        with Cpu(contest.limits.processor) as device, alone(device.name):
            return on_processor(contest, spawn, device)
    if not torch.cuda.is_available():
        raise CannotCheck(Problem("cuda-device", {"number": "0"}))
    return on_gpu(contest, spawn, entry.target_of(torch.cuda.get_device_capability(0)))


def on_processor(contest: Contest, spawn: Spawn, device: Any, **options: Any) -> Measured:
    """Race the two workers. `options`: of the race, its clock for example."""
    draw = generator()
    inputs, expected = asked(contest, draw)
    shares = slack(expected)
    sides = both(contest, spawn)
    try:
        reference, candidate = (Asked(side, contest.call, blame) for side, blame in sides)
        return Race(
            device,
            reference,
            candidate,
            draw=lambda: [other(each, draw) for each in inputs],
            differ=lambda yours, theirs: differ(yours, theirs, shares),
            threshold=contest.threshold,
            seconds=contest.seconds,
            **options,
        ).measure()
    finally:
        for side, _ in sides:
            side.stop()


def on_gpu(
    contest: Contest,
    spawn: Spawn,
    target: Target,
    measured: Callable[[Any, Sequence[Any]], Measured] = ask.measured,
) -> Measured:
    """Collect what both sides launch, compiled, and have a bench process time it."""
    handed = []
    for side, blame in both(contest, spawn):
        found = launched(contest, side, target)
        if isinstance(found, Problem):
            return Measured(blame, why=found)
        handed.append(found)
    reference, candidate = handed
    inputs, expected = asked(contest, generator())
    return measured(*entry.compare(reference, candidate, inputs, expected, contest.threshold, target))


def launched(contest: Contest, host: Candidate, target: Target) -> entry.Handed | Problem:
    """What the host does in the call, and what its kernels, which another worker holds alone, are compiled to."""
    kernels = Candidate(host.spawn, host.source, host.name, host.limits, alone=True)
    try:
        answer = host.ask(dry(contest.call), [], COMPILE_SECONDS)
        if answer.problem:
            return answer.problem
        return counted(contest.call, answer.plan, kernels, {target: assembling.ptx_version(target)})
    finally:
        host.stop()
        kernels.stop()


def both(contest: Contest, spawn: Spawn) -> tuple[Side, Side]:
    """The solution, whose failure is not the learner's, and the submission."""
    return (
        (Candidate(spawn, contest.solution, SOLUTION, contest.limits), "could not check"),
        (Candidate(spawn, contest.source, contest.name, contest.limits), "failed"),
    )


def asked(contest: Contest, draw: torch.Generator) -> tuple[list[Tensor], Expected]:
    """Tensors for the call, and what the grader takes for right then.

    Raises:
        CannotCheck: it does not say.
    """
    inputs: list[Tensor] = []

    def make(leaf: Blank) -> Tensor:
        inputs.append(drawn(leaf, draw))
        return inputs[-1]

    args, kwargs = contest.call.filled(make)
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("grader", contest.grader)
    assert spec is not None
    assert spec.loader is not None
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    found = references(grader).get(contest.call.target)
    if found is None:
        raise CannotCheck(f"no @reference({contest.call.target!r}) in {os.path.basename(contest.grader)}")
    return inputs, expect(found.function, args, kwargs, compute=found.compute, dtypes=found.dtypes)


def generator() -> torch.Generator:
    """With a seed that nobody knows."""
    draw = torch.Generator()
    draw.seed()
    return draw


def drawn(leaf: Blank, draw: torch.Generator) -> Tensor:
    """Normal numbers; where no floats are asked for, zeros, which are an index everywhere."""
    tensor = blank(leaf.dtype, leaf.shape, leaf.strides)
    if tensor.is_floating_point():
        flat(tensor).normal_(generator=draw)
    return tensor


if __name__ == "__main__":
    serve(Channel(socket.socket(fileno=int(sys.argv[1]))))
