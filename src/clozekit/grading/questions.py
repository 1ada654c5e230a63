"""One call as it goes over to the submission, and what its answer has to be.

Question("rms_norm(float32[3, 8], float32[8])", Call("rms_norm", ...), buffers, truth=Truth(expected), ...)
question.judge(answer)      None, or Problem("value", {"where": "[1, 2]", "yours": "2.46253", ...})
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from clozekit import calls, values
from clozekit.grading import measured
from clozekit.grading.candidate import Answer, clean
from clozekit.grading.compare import difference, excess
from clozekit.grading.evidence import Proof
from clozekit.grading.pictures import draw
from clozekit.grading.tolerance import Expected, floating_leaves
from clozekit.meters import bills
from clozekit.meters.callstring import CallString
from clozekit.report import WRONG, Meter, MeterName, Picture, Problem

PARAMETERS = "parameters"  # what a module's reference calls its first argument


@dataclass(frozen=True)
class Kept:
    """An object that lives in the worker. Attributes are its methods, to be given to `check`."""

    number: int
    target: str
    config: dict[str, Any]
    parameters: dict[str, Tensor] | None

    def __getattr__(self, name: str) -> "Method":
        if name.startswith("__"):
            raise AttributeError(name)
        return Method(self, name)

    def method(self, name: str) -> "Method":
        """A method whose name Python would look up on us, such as `__len__`."""
        return Method(self, name)


@dataclass(frozen=True)
class Method:
    """A method of a kept object."""

    owner: Kept
    name: str


@dataclass(frozen=True)
class Truth:
    """What a call must return, and the gradients by path ("x", "parameters['q_proj.weight']")."""

    answer: Expected
    gradients: dict[str, Expected] = field(default_factory=dict)
    cotangents: list[Tensor] = field(default_factory=list)


@dataclass
class Question:
    """One call as it was sent, what its answer has to be, and what became of it."""

    text: str
    request: calls.Request
    buffers: list[Any]
    truth: Truth | None = None
    labels: list[str] = field(default_factory=list)
    given: list[Tensor] = field(default_factory=list)
    wanted: dict[str, Tensor] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()
    smaller: "Question | None" = None  # the call that must take as many steps of Python
    proof: Proof | None = None  # where a kernel must have computed the answer
    bars: measured.Bars | None = None  # what the answer may cost
    comparable: bool = True  # whether the bars were counted by what counts here
    again: str = ""  # the kind of another call, see `again`
    priced: CallString | None = None  # a call of full size, whose costs are judged and no values
    meters: dict[MeterName, Meter] = field(default_factory=dict)  # of such a call
    answer: Answer = field(default_factory=Answer)
    problem: Problem | None = None

    @property
    def is_of_object(self) -> bool:
        """Whether it calls an object that was constructed earlier, or a method of it."""
        return isinstance(self.request, calls.Call) and self.request.held is not None

    def judge(self, answer: Answer) -> Problem | None:
        """Why this answer is refused; None if it is right."""
        problem = self._problem(answer)
        return Problem(problem.kind, problem.facts | {"again": self.again}) if problem and self.again else problem

    def _problem(self, answer: Answer) -> Problem | None:
        if answer.problem:
            if answer.problem.kind == "parameters":
                return _with_call(_parameter_problem(answer.problem.facts, self.wanted), self.text)
            return _with_call(answer.problem, self.text)
        if answer.changed:
            return Problem("changed", {"call": self.text, "names": ", ".join(map(self._label, answer.changed))})
        if answer.disturbed:
            return Problem(f"earlier-{answer.disturbed[0]}", {"call": self.text})
        if answer.threads > 0:
            return Problem("threads", {"call": self.text})
        if used := sorted(answer.used & self.forbidden):
            return Problem("forbidden-host" if self.proof else "forbidden", {"call": self.text, "path": used[0]})
        for path, value, expected in self.pairs(answer):
            if path and value is None:
                return Problem("no-gradient", {"call": self.text, "path": path})
            if found := difference(value, expected):
                facts = {"call": self.text, "where": f"∂{path} {found.where}".strip() if path else found.where}
                for name in ("yours", "expected", "excess", "wrong", "total", "position"):
                    fact = getattr(found, name)
                    facts[name] = f"{fact:.3g}" if isinstance(fact, float) else str(fact)
                return Problem(found.kind, facts)
        if not answer.used and self._is_computed(answer.value):
            return Problem("untraced", {"call": self.text})
        if self.smaller and answer.steps > self.smaller.answer.steps:
            counts = {"small": str(self.smaller.answer.steps), "large": str(answer.steps)}
            return Problem("steps", {"first": self.smaller.text, "second": self.text, **counts})
        if self.bars is not None and answer.cost is None:
            return Problem("protocol", {"call": self.text, "reason": "no counts"})
        return bills.problem(self.text, self.costs(answer))

    def picture(self) -> Picture | None:
        """What the answer that was refused looks like, if it is one of numbers."""
        if self.problem is None or self.problem.kind not in WRONG:
            return None
        found = (difference(value, expected) for _, value, expected in self.pairs(self.answer))
        wrong = next(filter(None, found), None)
        return draw(wrong.leaf) if wrong and wrong.leaf else None

    def _label(self, changed: str) -> str:
        """An argument, which the worker calls by its number, or a parameter, by its name."""
        if changed.isdecimal():
            return self.labels[int(changed)] if int(changed) < len(self.labels) else "?"
        return f"{PARAMETERS}['{clean(changed)}']"

    def _is_computed(self, value: Any) -> bool:
        """Whether there is a floating tensor in an answer that is no argument, and that no object can have had before."""
        return any(
            not (any(_same_bytes(leaf, given) for given in self.given) or (self.is_of_object and _is_initial(leaf)))
            for leaf in floating_leaves(value)
        )

    def excess(self) -> float:
        """How many spreads the worst leaf of the answer is off."""
        return max((excess(value, expected) for _, value, expected in self.pairs(self.answer)), default=0.0)

    def costs(self, answer: Answer) -> dict[MeterName, Meter]:
        """What an answer cost, where that was asked."""
        if self.bars is None or answer.cost is None:
            return {}
        meters = measured.meters(measured.spent(answer.cost, answer.steps), self.bars)
        return meters if self.comparable else bills.undecided(meters)

    def pairs(self, answer: Answer) -> Iterator[tuple[str, Any, Expected]]:
        """The answer and each gradient ("" or its path) beside what is expected."""
        if self.truth is None:
            return
        yield "", answer.value, self.truth.answer
        inputs = iter(answer.inputs)
        for path, expected in self.truth.gradients.items():
            name = path.removeprefix(f"{PARAMETERS}['").removesuffix("']")
            yield path, answer.parameters.get(name) if name != path else next(inputs, None), expected


def _is_initial(leaf: Tensor) -> bool:
    """As an object may have it from the beginning: nothing but one of 0, 1 and the infinities."""
    return any(bool((leaf == value).all()) for value in (0.0, 1.0, math.inf, -math.inf))


def _same_bytes(ours: Tensor, theirs: Tensor) -> bool:
    return ours.shape == theirs.shape and ours.dtype == theirs.dtype and torch.equal(ours, theirs)


def resolve(target: str | Kept | Method) -> tuple[int | None, str, str]:
    """The kept object's number, the name to call, and the name to show."""
    if isinstance(target, Kept):
        return target.number, "", target.target
    if isinstance(target, Method):
        return target.owner.number, target.name, f"{target.owner.target}.{target.name}"
    return None, target, target


def encode(
    held: int | None, name: str, args: tuple, kwargs: dict, keep: int | None = None
) -> tuple[calls.Call, list[Any]]:
    buffers: list[Any] = []

    def encoded(arg: Any) -> values.Value:
        return values.encode(values.Held(arg.number) if isinstance(arg, Kept) else arg, buffers, strided=True)

    sent = [encoded(arg) for arg in args]
    return calls.Call(0, name, held, sent, {key: encoded(arg) for key, arg in kwargs.items()}, keep), buffers


def signature(label: str, args: tuple, kwargs: dict) -> str:
    """A call as a message shows it: `rms_norm(float32[3, 8], float32[8], eps=1e-06)`."""
    return f"{label}({', '.join([*map(brief, args), *(f'{name}={brief(arg)}' for name, arg in kwargs.items())])})"


def brief(arg: Any) -> str:
    """One argument in a few characters: tensors by dtype and shape, long texts and lists cut."""
    if isinstance(arg, Tensor):
        layout = "" if arg.is_contiguous() else " non-contiguous"
        return f"{str(arg.dtype).removeprefix('torch.')}{list(arg.shape)}{layout}"
    if isinstance(arg, Kept):
        return arg.target.lower()
    if isinstance(arg, dict):
        return (
            "{"
            + ", ".join(f"{key!r}: {brief(item)}" for key, item in list(arg.items())[:4])
            + (", …}" if len(arg) > 4 else "}")
        )
    if isinstance(arg, list | tuple) and any(isinstance(item, Tensor) for item in arg):
        return f"[{', '.join(map(brief, arg))}]"
    text = repr(arg)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _with_call(problem: Problem, text: str) -> Problem:
    return Problem(problem.kind, {"call": text, **problem.facts})


def _parameter_problem(own: dict[str, str], wanted: dict[str, Tensor]) -> Problem:
    """The module's parameters are not those of the statement: which are missing, too many, of another shape."""
    shapes = {name: str(list(value.shape)) for name, value in wanted.items()}
    missing = [f"{name} {shape}" for name, shape in shapes.items() if name not in own]
    extra = [f"{name} {shape}" for name, shape in own.items() if name not in shapes]
    other = [
        f"{name} {own[name]} (expected {shape})" for name, shape in shapes.items() if own.get(name, shape) != shape
    ]
    return Problem("parameters", {"missing": ", ".join(missing), "extra": ", ".join(extra), "other": ", ".join(other)})
