"""Who wrote a kernel's answer, and at what cost: the recorded plan, run again without the host on inputs that it never saw.

    answer = candidate.ask(Call("softmax", None, [x], {}, record=True))     right, says the reference
    proof = evidence.proof("softmax(…)", "softmax", (other(x, draw),), {}, truth)      other values, laid out as x
    evidence.judge(proof, answer.plan, hidden)                                         None, or
        Problem("host", {"names": "torch.Tensor.numpy"})                               the host computed
        Problem("replay", {"yours": "0.31", "expected": "0.07", ...})                  the kernels alone do something else
        Problem("meter-loads", {"yours": "3072", "bar": "1024"})                       too many bytes are read

The plan is the word of the learner's process, yet nothing is won by forging it: whatever was computed from x is wrong for the
other values, which only the trusted side can draw. Costs are judged as ratios to those of the solution in kernels/, which is
run and counted here, on the trusted side.
"""

import hashlib
import linecache
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import torch
from torch import Tensor

from clozekit import calls, values
from clozekit.grading.candidate import Candidate, Spawn
from clozekit.grading.compare import difference
from clozekit.grading.tolerance import Expected
from clozekit.grading.trees import leaves
from clozekit.kernels import plan
from clozekit.meters import assembling, bills
from clozekit.meters.callstring import CallString
from clozekit.meters.costs import Launch, Target
from clozekit.meters.standing import Assembled, beside
from clozekit.protocol import Limits
from clozekit.report import Meter, MeterName, Problem, Roofline

SCALE = (0.7, 0.9)  # of the other values: near the first ones, and what did not overflow does not now
SOLUTION = "solution.py"
COMPILE_SECONDS = 60.0  # for all kernels of a call and both targets; the solutions take less than one
MEMORY = 3 << 30  # bytes that a call of full size may allocate, without touching them
EFFORT = 4  # times as much as usually, before a sample that is above a bar is called undecided; and as many looks
SHOWN = 3  # names of what the host computed

Bars = Mapping[MeterName, float]  # what each meter may show at most
Handed = tuple[plan.Plan, list[Launch]]  # the plan of a call, and what its launches are compiled to


class Solution:
    """The reference kernel of one exercise, and what each call costs it. `thresholds`: for each meter, how many times that.

    comparable: whether what is counted here may be held against that.
    """

    def __init__(self, source: str, thresholds: Bars, seed: int = 0, comparable: bool = True):
        self.source, self.thresholds, self.seed, self.comparable = source, thresholds, seed, comparable
        self.known: dict[bytes, Bars] = {}
        self.bills: dict[str, bills.Bill] = {}
        self.made: dict[str, Assembled] = {}
        self.module: types.ModuleType | None = None

    def bars(self, target: str, args: tuple, kwargs: dict[str, Any]) -> Bars:
        """What the meters of this call may show."""
        if not self.thresholds:
            return {}
        key = _fingerprint([target, list(args), kwargs])
        if key not in self.known:
            known = self._costs(target, args, kwargs)
            self.known[key] = {name: ratio * known[name] for name, ratio in self.thresholds.items() if name in known}
        return self.known[key]

    def handed(self, target: str, args: tuple, kwargs: dict[str, Any], wanted: dict[Target, int]) -> Handed:
        """The plan of one call, and what its launches are compiled to; no program runs.

        Raises:
            Exception: whatever a host or a compiler raises.
        """
        from clozekit.kernels import alone
        from clozekit.kernels.record import Recorder
        from clozekit.meters import measuring

        inputs = _tensors(args, kwargs)
        script = measuring.dry(vars(self._loaded())[target], list(args), kwargs, Recorder(SOLUTION, inputs))
        kernels = alone.load(self.source, SOLUTION)
        return script, measuring.plan(script, inputs, kernels, wanted, effort=0)

    def bill(self, call: CallString) -> bills.Bill:
        """What one call of full size costs the solution. Its scratch is measured by the tensors of the call, as above.

        Raises:
            RuntimeError: the solution does not compile, or its host computes.
        """
        if call.text not in self.bills:
            from clozekit.kernels import alone
            from clozekit.kernels.record import Recorder
            from clozekit.meters import measuring
            from clozekit.meters.blank import blank

            function = vars(self._loaded())[call.target]
            known = [(leaf, blank(leaf.dtype, leaf.shape, leaf.strides)) for leaf in call.tensors]
            made = {id(leaf): tensor for leaf, tensor in known}
            inputs = [tensor for _, tensor in known]
            args = [made.get(id(arg), arg) for arg in call.args]
            kwargs = {name: made.get(id(arg), arg) for name, arg in call.kwargs.items()}
            script = measuring.dry(function, args, kwargs, Recorder(SOLUTION, inputs))
            launches = measuring.plan(script, inputs, alone.load(self.source, SOLUTION), targets(), self.sample(call))
            self.made[call.text] = bills.assembled(launches)
            found = bills.of_plan(script, len(inputs), passes(script, inputs), self.made[call.text])
            if found.refused or script.host:
                raise RuntimeError(f"{call.text}: {found.refused or script.host}")
            size = call.size + sum(view.bytes for view in plan.views(script.answer))
            self.bills[call.text] = bills.Bill(found.costs | {"scratch": size})
        return self.bills[call.text]

    def sample(self, call: CallString) -> int:
        """The seed of the sample that the costs of a call are counted on, the solution's and everybody's."""
        return int.from_bytes(hashlib.blake2b(f"{self.seed}:{call.text}".encode(), digest_size=7).digest())

    def _costs(self, target: str, args: tuple, kwargs: dict[str, Any]) -> dict[MeterName, int]:
        """The costs of the solution; its own scratch is none, so that of others is measured by the tensors of the call."""
        from clozekit.kernels import interpret
        from clozekit.kernels.replay import Meter as Watch

        function = vars(self._loaded())[target]
        interpret.forget()
        with Watch() as watch, torch.no_grad():
            answer = function(*args, **kwargs)
        counts = watch.counts()
        tensors = [leaf for _, leaf in leaves([list(args), kwargs, answer]) if isinstance(leaf, Tensor)]
        return {
            "launches": len(interpret.launches),
            "loads": counts.load_bytes,
            "stores": counts.store_bytes,
            "scratch": sum(tensor.numel() * tensor.element_size() for tensor in tensors),
        }

    def _loaded(self) -> types.ModuleType:
        if not self.source:
            raise RuntimeError("a course pack has no solution to compare with")
        if self.module is None:
            from clozekit.kernels import interpret

            interpret.install()
            linecache.cache[SOLUTION] = (len(self.source), None, self.source.splitlines(True), SOLUTION)
            self.module = types.ModuleType("solution")
            exec(compile(self.source, SOLUTION, "exec", dont_inherit=True), vars(self.module))
        return self.module


@dataclass(frozen=True)
class Proof:
    """A call with other values, to be answered by the kernels alone."""

    text: str
    target: str
    args: tuple
    kwargs: dict[str, Any]
    truth: Expected
    bars: Bars

    @property
    def inputs(self) -> list[Tensor]:
        return _tensors(self.args, self.kwargs)


class Device(Protocol):
    """Where a plan can be run once more, compiled."""

    def judge(self, proof: Proof, script: plan.Plan, kernels: Candidate) -> Problem | None:
        """Why an answer that the interpreter proved is refused there. `kernels`: those of the submission, alone."""


@dataclass
class Evidence:
    """Judges the plans of one submission. A worker runs those of visible calls, another those of hidden ones."""

    spawn: Spawn
    source: str
    name: str
    limits: Limits
    solution: Solution
    device: Device | None = None  # on which the answers have to be right as well
    meters: dict[MeterName, Meter] = field(default_factory=dict)  # of each, what comes nearest to its bar
    rooflines: list[Roofline] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visible, self.hidden = (
            Candidate(self.spawn, self.source, self.name, self.limits, alone=True) for _ in range(2)
        )

    def proof(self, text: str, target: str, args: tuple, kwargs: dict[str, Any], truth: Expected) -> Proof:
        """What the kernels have to make of these arguments. `text` shows the call that the submission was asked."""
        return Proof(text, target, args, kwargs, truth, self.solution.bars(target, args, kwargs))

    def judge(self, proof: Proof, script: plan.Plan | None, hidden: bool) -> Problem | None:
        """Why a right answer is refused all the same; None if the kernels alone compute it, at no more than the bars."""
        if script is None:
            return Problem("protocol", {"call": proof.text, "reason": "no plan"})
        if found := _host(proof.text, script):
            return found
        buffers: list[Any] = []
        inputs = [values.encode(tensor, buffers, strided=True) for tensor in proof.inputs]
        try:
            plan.check(script, [each.size for each in inputs if isinstance(each, values.Array)])
        except plan.Impossible as impossible:
            return Problem("protocol", {"call": proof.text, "reason": str(impossible)})
        if plan.has_unknown(script):
            return Problem("from-elsewhere", {"call": proof.text})
        kernels = self.hidden if hidden else self.visible
        answer = kernels.ask(calls.Replay(0, script, inputs), buffers)
        if answer.problem:
            facts = {"call": proof.text} | answer.problem.facts
            return Problem("alone", facts) if answer.problem.kind == "raised" else Problem(answer.problem.kind, facts)
        if off := difference(answer.value, proof.truth):
            return Problem("replay", {"call": proof.text} | off.facts())
        above = self._measure(proof, script, answer.counts or plan.Counts(), hidden)
        return above or (self.device.judge(proof, script, kernels) if self.device else None)

    def price(self, call: CallString, script: plan.Plan | None, kernels: Candidate) -> dict[MeterName, Meter] | Problem:
        """The meters of one call of full size, on a plan that the host has made for it; or why there are none."""
        sample = self.solution.sample(call)
        found = counted(call, script, kernels, targets(), sample)
        if isinstance(found, Problem):
            return found
        script, launches = found
        made = bills.assembled(launches)
        meters = self._held(call, script, made)
        if isinstance(meters, Problem):
            return meters
        ours = self.solution.made.get(call.text)  # a course pack has its costs only
        if kernels is self.visible and ours and (roofline := beside(call.text, made, ours)):
            self.rooflines.append(roofline)
        if all(meter.verdict != "could not check" for meter in meters.values()):
            return meters
        found = counted(call, script, kernels, {}, sample, EFFORT)
        if isinstance(found, Problem):
            return found
        again = [
            msgspec.structs.replace(launch, compiled=first.compiled, compiled_as=first.compiled_as)
            for launch, first in zip(found[1], launches, strict=True)
        ]
        return self._held(call, script, made._replace(launches=again), EFFORT)

    def _held(
        self, call: CallString, script: plan.Plan, made: Assembled, enough: float = math.inf
    ) -> dict[MeterName, Meter] | Problem:
        copied = plan.passes(script, [(leaf.shape, leaf.strides) for leaf in call.tensors])
        bill = bills.of_plan(script, len(call.tensors), copied, made)
        if bill.refused:
            return Problem("compile", {"call": call.text} | bill.refused)
        return bills.held(bill, self.solution.bill(call), self.solution.thresholds, enough)

    def judge_costs(
        self, call: CallString, script: plan.Plan | None, hidden: bool
    ) -> tuple[dict[MeterName, Meter], Problem | None]:
        """The meters of one call of full size, and the first of them that is above its bar."""
        found = self.price(call, script, self.hidden if hidden else self.visible)
        if isinstance(found, Problem):
            return {}, found
        if not self.solution.comparable:
            found = bills.undecided(found)
        if not hidden:
            for meter in found.values():
                self._keep(meter)
        return found, bills.problem(call.text, found)

    def _keep(self, meter: Meter) -> None:
        known = self.meters.get(meter.name)
        if known is None or meter.share > known.share:
            self.meters[meter.name] = meter

    def _measure(self, proof: Proof, script: plan.Plan, counts: plan.Counts, hidden: bool) -> Problem | None:
        """The first meter above its bar. Of a hidden call nothing is kept."""
        copied = passes(script, proof.inputs)
        spent: dict[MeterName, int] = {
            "launches": sum(isinstance(step, plan.Launch) for step in script.steps),
            "loads": counts.load_bytes + copied,
            "stores": counts.store_bytes + copied,
            "scratch": plan.scratch(script, len(proof.inputs)),
        }
        meters = {
            name: Meter(name, spent[name], bar, "passed" if spent[name] <= bar else "failed")
            for name, bar in proof.bars.items()
        }
        if not self.solution.comparable:
            meters = bills.undecided(meters)
        for meter in meters.values() if not hidden else ():
            self._keep(meter)
        return bills.problem(proof.text, meters)

    def close(self) -> None:
        """End the workers."""
        self.visible.stop()
        self.hidden.stop()


def dry(call: CallString) -> calls.Call:
    """The question what the host does in a call of full size."""
    args = [values.encode(arg, []) for arg in call.args]
    named = {name: values.encode(arg, []) for name, arg in call.kwargs.items()}
    return calls.Call(0, call.target, None, args, named, dry=True)


def counted(
    call: CallString,
    script: plan.Plan | None,
    kernels: Candidate,
    targets: dict[Target, int],
    sample: int = 0,
    effort: int = 1,
) -> Handed | Problem:
    """What the launches of a plan cost and are compiled to, by the kernels alone; or why it is no plan of an honest call.

    effort: see `calls.Measure`.
    """
    if script is None:
        return Problem("protocol", {"call": call.text, "reason": "no plan"})
    if found := _host(call.text, script):
        return found
    try:
        plan.check(script, [leaf.extent for leaf in call.tensors], MEMORY)
    except plan.Impossible as impossible:
        return Problem("protocol", {"call": call.text, "reason": str(impossible)})
    if plan.has_unknown(script):
        return Problem("from-elsewhere", {"call": call.text})
    request = calls.Measure(0, script, list(call.tensors), targets, sample, effort)
    answer = kernels.ask(request, [], COMPILE_SECONDS)
    if answer.problem:
        facts = {"call": call.text} | answer.problem.facts
        return Problem("alone", facts) if answer.problem.kind == "raised" else Problem(answer.problem.kind, facts)
    if len(answer.launches) != sum(isinstance(step, plan.Launch) for step in script.steps):
        return Problem("protocol", {"call": call.text, "reason": "counts of other launches"})
    return script, answer.launches


def _host(text: str, script: plan.Plan) -> Problem | None:
    """What the host computed, if it did."""
    if not script.host:
        return None
    more = len(script.host) - SHOWN
    names = ", ".join(sorted(script.host)[:SHOWN]) + (f" (+{more})" if more > 0 else "")
    return Problem("host", {"call": text, "names": names})


def passes(script: plan.Plan, inputs: list[Tensor]) -> int:
    """Bytes that the host copies for nothing."""
    return plan.passes(script, [(list(each.shape), list(each.stride())) for each in inputs])


def targets() -> dict[Target, int]:
    """What kernels are compiled for, each with the PTX version that its assembler reads."""
    return {target: assembling.ptx_version(target) for target in bills.TARGETS}


def other(leaf: Any, draw: torch.Generator) -> Any:
    """A floating tensor of the same layout, its axes reversed, each value scaled on its own: still what its case is about."""
    if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or not leaf.numel():
        return leaf
    last = sum((length - 1) * stride for length, stride in zip(leaf.shape, leaf.stride(), strict=True))
    flat = leaf.detach().as_strided((last + 1,), (1,))
    scales = torch.empty(last + 1, device=leaf.device).uniform_(*SCALE, generator=draw).to(leaf.dtype)
    return (flat.flip(0) * scales).as_strided(leaf.shape, leaf.stride())


def _tensors(args: tuple, kwargs: dict[str, Any]) -> list[Tensor]:
    return [leaf for _, leaf in leaves([list(args), kwargs]) if isinstance(leaf, Tensor)]


def _fingerprint(call: Any) -> bytes:
    buffers: list[Any] = []
    digest = hashlib.blake2b(msgspec.msgpack.encode(values.encode(call, buffers, strided=True)), digest_size=16)
    for buffer in buffers:
        digest.update(buffer)
    return digest.digest()
