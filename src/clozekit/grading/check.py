"""The `check` that a grader's tests call: ask the submission, evaluate the reference, compare.

check("rms_norm", x, weight)                              a function
layer = check.new("MultiHeadAttention", d_model=8, num_heads=2, parameters=drawn)
check(layer, x, mask, gradients=True)                     a module: reference(parameters, x, mask, d_model=8, ...)
cache = check.new("KVCache")
check(cache.append, k, v, like=(all_k, all_v))            state: the reference sees what the answer depends on
check(cache.method("__len__"), returns=3)                 a value known by hand
"""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
import torch
from torch import Tensor

from clozekit import calls, values
from clozekit.describe import describe
from clozekit.grading.candidate import Answer, Candidate
from clozekit.grading.compare import difference, excess
from clozekit.grading.marks import Reference
from clozekit.grading.tolerance import Expected, expect, expect_gradients, floating_leaves, leaves
from clozekit.report import Problem

MISSING: Any = inspect.Parameter.empty
PARAMETERS = "parameters"  # what a module's reference calls its first argument
DtypeRule: TypeAlias = torch.dtype | Literal["like arguments"] | None


class Refused(AssertionError):
    """The submission's answer is wrong; `problem` says how."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return describe(self.problem, "en")


class GraderError(Exception):
    """A grader asks for something that makes no sense: its author's mistake, never the learner's."""


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
    wanted: dict[str, Tensor] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()
    smaller: "Question | None" = None  # the call that must run as many lines of Python
    answer: Answer = field(default_factory=Answer)
    problem: Problem | None = None

    def judge(self, answer: Answer) -> Problem | None:
        """Why this answer is refused; None if it is right."""
        if answer.problem:
            if answer.problem.kind == "parameters":
                return _with_call(_parameter_problem(answer.problem.facts, self.wanted), self.text)
            return _with_call(answer.problem, self.text)
        if answer.changed:
            names = ", ".join(self.labels[i] for i in answer.changed if i < len(self.labels))
            return Problem("changed", {"call": self.text, "names": names or "?"})
        if used := sorted(answer.used & self.forbidden):
            return Problem("forbidden", {"call": self.text, "path": used[0]})
        for path, value, expected in self.pairs(answer):
            if path and value is None:
                return Problem("no-gradient", {"call": self.text, "path": path})
            if found := difference(value, expected):
                facts = {"call": self.text, "where": f"∂{path} {found.where}".strip() if path else found.where}
                for name in ("yours", "expected", "excess", "wrong", "total", "position"):
                    fact = getattr(found, name)
                    facts[name] = f"{fact:.3g}" if isinstance(fact, float) else str(fact)
                return Problem(found.kind, facts)
        if self.smaller and answer.steps > self.smaller.answer.steps:
            counts = {"small": str(self.smaller.answer.steps), "large": str(answer.steps)}
            return Problem("steps", {"first": self.smaller.text, "second": self.text, **counts})
        return None

    def excess(self) -> float:
        """How many spreads the worst leaf of the answer is off."""
        return max((excess(value, expected) for _, value, expected in self.pairs(self.answer)), default=0.0)

    def pairs(self, answer: Answer) -> Iterator[tuple[str, Any, Expected]]:
        """The answer and each gradient ("" or its path) beside what is expected."""
        if self.truth is None:
            return
        yield "", answer.value, self.truth.answer
        inputs = iter(answer.inputs)
        for path, expected in self.truth.gradients.items():
            name = path.removeprefix(f"{PARAMETERS}['").removesuffix("']")
            yield path, answer.parameters.get(name) if name != path else next(inputs, None), expected


@dataclass
class Check:
    """Asks one candidate on behalf of one test, and records every question.

    Without a candidate it is a rehearsal: references are evaluated and remembered, nothing is asked.
    """

    candidate: Candidate | None
    references: dict[str, Reference]
    memory: dict[bytes, Truth]
    questions: list[Question]
    forbidden: frozenset[str]
    numbers: Callable[[], int]

    def __call__(
        self,
        target: str | Kept | Method,
        *args: Any,
        like: Sequence[Any] | None = None,
        returns: Any = MISSING,
        gradients: bool = False,
        dtype: DtypeRule = "like arguments",
        **kwargs: Any,
    ) -> Any:
        """Call `target` over there; its answer must agree with its reference. Returns the answer.

        like: arguments for the reference where they are not those of the call (the answer depends on earlier calls).
        returns: the exact answer, where no reference is needed.
        gradients: also compare the gradients of inputs and parameters, with a random cotangent.
        dtype: of floating tensors in the answer; by default that of the first floating input.

        Raises:
            Refused: the answer is wrong, or there is none.
            GraderError: the grader has no reference for this target.
        """
        __tracebackhide__ = True
        held, name, label = _resolve(target)
        request, buffers = _encode(held, name, args, kwargs)
        question = Question(_signature(label, args, kwargs), request, buffers)
        if returns is not MISSING:
            question.truth = Truth(expect(lambda: returns, ()))
        else:
            owner = target if isinstance(target, Kept) else None
            question.truth = self._truth(label, owner, args if like is None else tuple(like), kwargs, gradients, dtype)
            if gradients:
                cotangents = [values.encode(cotangent, buffers) for cotangent in question.truth.cotangents]
                question.request = msgspec.structs.replace(request, cotangents=cotangents)
        question.labels = self._labels(label, args if like is None else (), args, kwargs)
        return self._ask(question)

    def new(self, target: str, *args: Any, parameters: dict[str, Tensor] | None = None, **config: Any) -> Kept:
        """Construct `target` over there, load `parameters` if given, and keep it. Give it or its methods to `check`.

        Raises:
            Refused: the constructor fails, or the parameters are not named and shaped as the statement says.
        """
        __tracebackhide__ = True
        number = self.numbers()
        text = _signature(target, args, config)
        self._ask(Question(text, *_encode(None, target, args, config, keep=number)))
        if parameters is not None:
            buffers: list[Any] = []
            encoded = {name: values.encode(value, buffers) for name, value in parameters.items()}
            self._ask(Question(text, calls.Parameters(0, number, encoded), buffers, wanted=parameters))
        return Kept(number, target, config, parameters)

    def steps_do_not_grow(self, target: str, small: Sequence[Any], large: Sequence[Any]) -> None:
        """The two calls must run as many lines of the learner's Python: no loop over the axis in which they differ.

        Raises:
            Refused: the larger call runs more lines.
        """
        __tracebackhide__ = True
        question = None
        for args in (tuple(small), tuple(large)):
            request, buffers = _encode(None, target, args, {})
            counting = msgspec.structs.replace(request, count_steps=True)
            question = Question(_signature(target, args, {}), counting, buffers, smaller=question)
            self._ask(question)

    def _ask(self, question: Question) -> Any:
        __tracebackhide__ = True
        if self.candidate is None:
            return question.truth.answer.value if question.truth else None
        self.questions.append(question)
        question.forbidden = self.forbidden
        question.answer = self.candidate.ask(question.request, question.buffers)
        question.problem = question.judge(question.answer)
        if question.problem:
            raise Refused(question.problem)
        return question.answer.value

    def _truth(
        self, label: str, owner: Kept | None, args: tuple, kwargs: dict, gradients: bool, dtype: DtypeRule
    ) -> Truth:
        """Evaluate the reference, unless this very call was evaluated before."""
        reference = self._reference(label)
        inputs = (owner.parameters, *args) if owner and owner.parameters is not None else args
        named = {**owner.config, **kwargs} if owner else kwargs
        key = _fingerprint(label, inputs, named, gradients)
        if key not in self.memory:
            options: dict[str, Any] = {"compute": reference.compute, "dtype": dtype}
            answer = expect(reference.function, inputs, named, **options)
            self.memory[key] = Truth(answer)
            if gradients:
                kind = answer.dtype or torch.float32
                cotangents = [torch.randn(leaf.shape).to(kind) for leaf in floating_leaves(answer.value)]
                answer, found = expect_gradients(reference.function, inputs, named, cotangents=cotangents, **options)
                self.memory[key] = Truth(answer, found, cotangents)
        return self.memory[key]

    def _reference(self, label: str) -> Reference:
        if label not in self.references:
            raise GraderError(f"no @reference({label!r}) in this grader")
        return self.references[label]

    def _labels(self, label: str, named: tuple, args: tuple, kwargs: dict) -> list[str]:
        """A name for each tensor among the arguments, in the order in which the worker counts them."""
        names = [f"argument {i}" for i in range(1, len(args) + 1)]
        if named and label in self.references:
            signature = inspect.signature(self.references[label].function)
            own = [name for name in signature.parameters if name != PARAMETERS]
            names[: len(own)] = own[: len(names)]
        named_args = [*zip(names, args, strict=True), *kwargs.items()]
        return [path for name, arg in named_args for path, leaf in leaves(arg, name) if isinstance(leaf, Tensor)]


def _resolve(target: str | Kept | Method) -> tuple[int | None, str, str]:
    """The kept object's number, the name to call, and the name to show."""
    if isinstance(target, Kept):
        return target.number, "", target.target
    if isinstance(target, Method):
        return target.owner.number, target.name, f"{target.owner.target}.{target.name}"
    return None, target, target


def _encode(
    held: int | None, name: str, args: tuple, kwargs: dict, keep: int | None = None
) -> tuple[calls.Call, list[Any]]:
    buffers: list[Any] = []

    def encoded(arg: Any) -> values.Value:
        return values.encode(values.Held(arg.number) if isinstance(arg, Kept) else arg, buffers, strided=True)

    sent = [encoded(arg) for arg in args]
    return calls.Call(0, name, held, sent, {key: encoded(arg) for key, arg in kwargs.items()}, keep), buffers


def _fingerprint(label: str, inputs: tuple, named: dict, gradients: bool) -> bytes:
    """The same for two calls only if their arguments have the same bytes."""
    buffers: list[Any] = []
    header = msgspec.msgpack.encode([label, values.encode([inputs, named], buffers), gradients])
    digest = hashlib.blake2b(header, digest_size=16)
    for buffer in buffers:
        digest.update(buffer)
    return digest.digest()


def _signature(label: str, args: tuple, kwargs: dict) -> str:
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
