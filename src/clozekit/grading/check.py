"""The `check` that a grader's tests call: ask the submission, evaluate the reference, compare.

check("rms_norm", x, weight)                              a function
layer = check.new("MultiHeadAttention", d_model=8, num_heads=2, parameters=drawn)
check(layer, x, mask, gradients=True)                     a module: reference(parameters, x, mask, d_model=8, ...)
cache = check.new("KVCache")
check(cache.append, k, v, like=(all_k, all_v))            state: the reference sees what the answer depends on
check(cache.method("__len__"), returns=3)                 a value known by hand

A right answer of a function or a module is asked for again, with other values in the same tensors: see `again`.
"""

import hashlib
import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import msgspec
import torch
from torch import Tensor

from clozekit import calls, values
from clozekit.describe import describe
from clozekit.errors import CannotCheck
from clozekit.grading.again import Again, is_little, refilled, repeated
from clozekit.grading.candidate import Candidate
from clozekit.grading.evidence import COMPILE_SECONDS, Evidence, Proof, dry, other
from clozekit.grading.marks import Reference
from clozekit.grading.measured import Yardstick
from clozekit.grading.questions import PARAMETERS, Kept, Method, Question, Truth, encode, resolve, signature
from clozekit.grading.tolerance import expect, expect_gradients, floating_leaves, leaves
from clozekit.grading.trees import mapped
from clozekit.meters import callstring
from clozekit.report import Picture, Problem

KERNELS = 0.3  # the share of calls of a kernel that are asked again: the interpreter is slow
REPEATED = 0.5  # the share of those asked again that are also repeated as they were
COMPOSITE = 0.5  # the share of tests whose calls without gradients run below autograd, which shows other operators
NOBODYS = {"device-memory", "unasked"}  # problems that say nothing of the answer: others filled the device, time was up
MISSING: Any = inspect.Parameter.empty
DtypeRule: TypeAlias = torch.dtype | Literal["like arguments"] | None


class Refused(AssertionError):
    """The submission's answer is wrong; `problem` says how, `picture` shows where."""

    def __init__(self, problem: Problem, picture: Picture | None = None):
        super().__init__(problem)
        self.problem, self.picture = problem, picture

    def __str__(self) -> str:
        return describe(self.problem, "en")


class Undecided(CannotCheck):
    """There is no answer, for a reason that need not be the submission's; `problem` says which."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        self.problem = problem


class GraderError(Exception):
    """A grader asks for something that makes no sense: its author's mistake, never the learner's."""


@dataclass
class Check:
    """Asks one candidate on behalf of one test, and records every question.

    Without a candidate it is a rehearsal: references are evaluated and remembered, nothing is asked.

    questions: what the test asked, for the diagnosis. unasked: what was asked again and answered rightly.
    draw: what is asked again; the same in a rehearsal as in every grading.
    rounds: how many unjudged calls come before the next small one that is repeated.
    yardstick: what calls of torch may cost, where the exercise has thresholds for them.
    composite: whether the test's calls without gradients run below autograd; its first call draws it.
    script: all that was asked, in order.
    """

    candidate: Candidate | None
    references: dict[str, Reference]
    memory: dict[bytes, Truth]
    questions: list[Question]
    unasked: list[Question]
    forbidden: frozenset[str]
    evidence: Evidence | None  # where a kernel must have done the work
    hidden: bool
    numbers: Callable[[], int]
    draw: random.Random
    rounds: Iterator[int]
    yardstick: Yardstick | None = None
    composite: bool | None = None
    script: list[Question] = field(default_factory=list)

    def __call__(
        self,
        target: str | Kept | Method,
        *args: Any,
        like: Sequence[Any] | None = None,
        returns: Any = MISSING,
        gradients: bool = False,
        dtype: DtypeRule = "like arguments",
        once: bool = False,
        measured: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call `target` over there; its answer must agree with its reference. Returns the answer.

        like: arguments for the reference where they are not those of the call (the answer depends on earlier calls).
        returns: the exact answer, where no reference is needed.
        gradients: also compare the gradients of inputs and parameters, with a random cotangent.
        dtype: of floating tensors in the answer; by default that of the first floating input.
        once: do not ask again with other values, as no others make sense.
        measured: what torch has to do for it is held against the thresholds of the exercise.

        Raises:
            Refused: the answer is wrong, or there is none.
            GraderError: the grader has no reference for this target.
        """
        __tracebackhide__ = True
        if self.composite is None:
            self.composite = self.draw.random() < COMPOSITE
        question = self._question(target, args, kwargs)
        if returns is not MISSING:
            question.truth = Truth(expect(lambda: returns, ()))
        elif like is not None:
            self._expect(question, target, tuple(like), kwargs, gradients, dtype)
            question.labels = self._labels("", args, kwargs)
        else:
            self._expect(question, target, args, kwargs, gradients, dtype)
        self.questions.append(question)
        if measured:
            self._measure(question)
        referenced = returns is MISSING and like is None
        if self.evidence and isinstance(target, str):
            question.proof = self._proof(self.evidence, question, (target, args, kwargs), dtype, referenced)
        self._ask(question)
        if referenced and not once and not isinstance(target, Method):
            for again in self._others(target, args, kwargs):
                self._ask_again(again, target, gradients, dtype)
        return question.answer.value if self.candidate else question.truth and question.truth.answer.value

    def new(self, target: str, *args: Any, parameters: dict[str, Tensor] | None = None, **config: Any) -> Kept:
        """Construct `target` over there, load `parameters` if given, and keep it. Give it or its methods to `check`.

        Raises:
            Refused: the constructor fails, or the parameters are not named and shaped as the statement says.
        """
        __tracebackhide__ = True
        kept = Kept(self.numbers(), target, config, parameters)
        request, buffers = encode(None, target, args, config, keep=kept.number)
        self.questions.append(Question(signature(target, args, config), request, buffers))
        self._ask(self.questions[-1])
        if parameters is not None:
            self.questions.append(_loading(kept))
            self._ask(self.questions[-1])
        return kept

    def steps_do_not_grow(self, target: str, small: Sequence[Any], large: Sequence[Any]) -> None:
        """Two right answers must take as many steps of the learner's Python: no loop over the axis in which they differ.

        Steps are lines that run, calls of torch, and numbers taken out of tensors.

        Raises:
            Refused: the larger call takes more steps.
        """
        __tracebackhide__ = True
        question = None
        for args in (tuple(small), tuple(large)):
            smaller, question = question, self._question(target, args, {})
            self._expect(question, target, args, {}, False, "like arguments")  # or a wrong answer is made in few steps
            question.request = msgspec.structs.replace(question.request, count_steps=True)
            question.smaller = smaller
            self.questions.append(question)
            self._ask(question)

    def costs(self, text: str) -> None:
        """What a call of full size costs, `softmax(float32[4096, 1000])`, may not be above the thresholds of the exercise.

        Nothing of that size is computed: the kernels are compiled, and a few programs of each launch are counted.

        Raises:
            Refused: a meter is above its bar, or a kernel does not compile.
            GraderError: the call cannot be read, or no kernel is asked for.
        """
        __tracebackhide__ = True
        try:
            call = callstring.parse(text)
        except callstring.BadCall as bad:
            raise GraderError(str(bad)) from None
        if self.evidence is None:
            raise GraderError("costs are counted of kernels only")
        request = dry(call)
        question = Question(call.text, request, [], priced=call)
        self.questions.append(question)
        self._price(question, call, self.evidence)

    def replay(self, script: Sequence[Question]) -> None:
        """Ask what another `check` has asked, and written down: see `tape`.

        Raises:
            Refused: the submission's answer is wrong, or there is none.
        """
        __tracebackhide__ = True
        for question in script:
            aside = bool(question.again) or (isinstance(question.request, calls.Parameters) and question.request.refill)
            (self.unasked if aside else self.questions).append(question)
            if question.priced and self.evidence:
                self._price(question, question.priced, self.evidence)
                continue
            with self.candidate.unheard() if aside and self.candidate else nullcontext():
                self._ask(question)

    def _price(self, question: Question, call: callstring.CallString, evidence: Evidence) -> None:
        __tracebackhide__ = True
        self.script.append(question)
        evidence.solution.bill(call)
        if self.candidate is None:
            return
        question.answer = self.candidate.ask(question.request, [], COMPILE_SECONDS)
        question.problem = question.judge(question.answer)
        if not question.problem:
            plan = question.answer.plan
            question.meters, question.problem = evidence.judge_costs(call, plan, self.hidden)
        if question.problem:
            raise _objection(question.problem)

    def _question(self, target: str | Kept | Method, args: tuple, kwargs: dict) -> Question:
        held, name, label = resolve(target)
        request, buffers = encode(held, name, args, kwargs)
        given = floating_leaves([list(args), kwargs])
        labels = self._labels(label, args, kwargs)
        request = msgspec.structs.replace(request, composite=bool(self.composite))
        return Question(signature(label, args, kwargs), request, buffers, labels=labels, given=given)

    def _expect(
        self,
        question: Question,
        target: str | Kept | Method,
        args: tuple,
        kwargs: dict,
        gradients: bool,
        dtype: DtypeRule,
    ) -> None:
        """Have the reference say what the answer to a question must be."""
        owner = target if isinstance(target, Kept) else None
        question.truth = self._truth(resolve(target)[2], owner, args, kwargs, gradients, dtype)
        if gradients:
            cotangents = [values.encode(cotangent, question.buffers) for cotangent in question.truth.cotangents]
            question.request = msgspec.structs.replace(question.request, cotangents=cotangents, composite=False)

    def _measure(self, question: Question) -> None:
        """Have the solution say what the answer to the last question may cost."""
        if self.yardstick is None:
            raise GraderError("nothing to measure by: there are no [thresholds] in the exercise's TOML")
        assert isinstance(question.request, calls.Call)
        question.request = self.yardstick.request(question.request)
        question.bars = self.yardstick.bars([(each.request, each.buffers) for each in self.questions])

    def _ask(self, question: Question) -> None:
        __tracebackhide__ = True
        self.script.append(question)
        if self.candidate is None:
            return
        question.forbidden = self.forbidden
        if question.is_of_object:  # which may keep what it answered
            question.given += [leaf for each in self.questions for leaf in floating_leaves(each.answer.value)]
        request = msgspec.structs.replace(question.request, record=True) if question.proof else question.request
        question.answer = self.candidate.ask(request, question.buffers)
        problem = question.problem = question.judge(question.answer)
        if self.evidence and question.proof and not problem:  # the answer is right, and stays so for the diagnosis
            problem = self.evidence.judge(question.proof, question.answer.plan, self.hidden)
        if problem:
            raise _objection(problem, question.picture())

    def _proof(
        self, evidence: Evidence, question: Question, call: tuple[str, tuple, dict], dtype: DtypeRule, referenced: bool
    ) -> Proof:
        """The same call with values that the host will not see; with its own where nothing is known of others."""
        target, args, kwargs = call
        if referenced:
            draw = torch.Generator().manual_seed(self.draw.getrandbits(63))
            others, named = mapped(lambda leaf: other(leaf, draw), [list(args), kwargs])
            truth = self._truth(target, None, tuple(others), named, False, dtype).answer
            if not truth.unstable:
                return evidence.proof(question.text, target, tuple(others), named, truth)
        assert question.truth is not None
        return evidence.proof(question.text, target, args, kwargs, question.truth.answer)

    def _others(self, target: str | Kept, args: tuple, kwargs: dict) -> list[Again]:
        """What to ask after this call was answered rightly; nothing of what has a state."""
        parameters = target.parameters if isinstance(target, Kept) else None
        if (isinstance(target, Kept) and parameters is None) or (self.evidence and self.draw.random() >= KERNELS):
            return []
        found = refilled(parameters, args, kwargs, self.draw)
        others = [found] if found else []
        if self.draw.random() < REPEATED:
            others.append(repeated(parameters, args, kwargs))
        return others

    def _ask_again(self, again: Again, target: str | Kept, gradients: bool, dtype: DtypeRule) -> None:
        """One more call, unless one rounding would decide it; a module's parameters are brought back afterwards."""
        __tracebackhide__ = True
        refill = again.kind == "refilled"
        owner = replace(target, parameters=again.parameters) if isinstance(target, Kept) else target
        question = self._question(owner, again.args, again.kwargs)
        self._expect(question, owner, again.args, again.kwargs, gradients, dtype)
        assert question.truth is not None
        if any(expected.unstable for expected in (question.truth.answer, *question.truth.gradients.values())):
            return
        question.again = again.kind
        rounds = 0 if refill or not is_little(again.args, again.kwargs) else next(self.rounds)
        question.request = msgspec.structs.replace(question.request, refill=refill, rounds=rounds, evaluate=not refill)
        loads = [_loading(kept, refill=True) for kept in (owner, target) if isinstance(kept, Kept) and refill]
        with self.candidate.unheard() if self.candidate else nullcontext():
            for each in [*loads[:1], question, *loads[1:]]:
                try:
                    self._ask(each)
                except Refused:
                    self.questions += [*loads[:1], question]
                    raise
        self.unasked.append(question)

    def _truth(
        self, label: str, owner: Kept | None, args: tuple, kwargs: dict, gradients: bool, dtype: DtypeRule
    ) -> Truth:
        """Evaluate the reference, unless this very call was evaluated before."""
        reference = self._reference(label)
        inputs = (owner.parameters, *args) if owner and owner.parameters is not None else args
        named = {**owner.config, **kwargs} if owner else kwargs
        key = _fingerprint(label, inputs, named, gradients)
        if key not in self.memory:
            options: dict[str, Any] = {"compute": reference.compute, "dtype": dtype, "dtypes": reference.dtypes}
            answer = expect(reference.function, inputs, named, **options)
            self.memory[key] = Truth(answer)
            if gradients:
                kind = answer.dtype or torch.float32
                draw = torch.Generator().manual_seed(int.from_bytes(key[:7], "big"))  # no draw of the grader's moves on
                cotangents = [torch.randn(x.shape, generator=draw).to(kind) for x in floating_leaves(answer.value)]
                answer, found = expect_gradients(reference.function, inputs, named, cotangents=cotangents, **options)
                self.memory[key] = Truth(answer, found, cotangents)
        return self.memory[key]

    def _reference(self, label: str) -> Reference:
        if label not in self.references:
            raise GraderError(f"no @reference({label!r}) in this grader")
        return self.references[label]

    def _labels(self, label: str, args: tuple, kwargs: dict) -> list[str]:
        """A name for each tensor among the arguments and for each argument, in the order in which the worker counts them.

        Those of the reference called `label`, if there is one and it takes the arguments of the call.
        """
        names = [f"argument {i}" for i in range(1, len(args) + 1)]
        if label in self.references:
            parameters = inspect.signature(self.references[label].function).parameters
            own = [name for name in parameters if name != PARAMETERS]
            names[: len(own)] = own[: len(names)]
        named_args = [*zip(names, args, strict=True), *kwargs.items()]
        tensors = [path for name, arg in named_args for path, leaf in leaves(arg, name) if isinstance(leaf, Tensor)]
        return [*tensors, *(name for name, _ in named_args)]


def _objection(problem: Problem, picture: Picture | None = None) -> Refused | Undecided:
    return Undecided(problem) if problem.kind in NOBODYS else Refused(problem, picture)


def _loading(kept: Kept, refill: bool = False) -> Question:
    """The question whether a kept module takes its parameters."""
    buffers: list[Any] = []
    wanted = kept.parameters or {}
    encoded = {name: values.encode(value, buffers) for name, value in wanted.items()}
    text = signature(kept.target, (), kept.config)
    return Question(text, calls.Parameters(0, kept.number, encoded, refill), buffers, wanted=wanted)


def _fingerprint(label: str, inputs: tuple, named: dict, gradients: bool) -> bytes:
    """The same for two calls only if their arguments have the same bytes."""
    buffers: list[Any] = []
    header = msgspec.msgpack.encode([label, values.encode([inputs, named], buffers), gradients])
    digest = hashlib.blake2b(header, digest_size=16)
    for buffer in buffers:
        digest.update(buffer)
    return digest.digest()
