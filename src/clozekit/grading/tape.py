"""The visible cases of one exercise as data: what was asked, and what each answer has to be. No reference, no code.

    write(Tape(versions, seed, hidden=1, cases=[Case("test_values[plain rows]", 1.0, [Question(...), ...])], bills={}))
    read(raw)       the same Tape; its questions are judged as those that a grader asks

A file is a line that names the format, then a frame as in `wire`: lengths, a header of typed structs, raw bytes of tensors. The
bytes of a request come first, as they are sent; those of its expected answer, its gradients and its proof follow.
"""

from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import torch
from msgspec import Struct

from clozekit import calls, values
from clozekit.errors import ContentError
from clozekit.grading.evidence import Proof, dry
from clozekit.grading.laws import Law
from clozekit.grading.questions import Question, Truth
from clozekit.grading.tolerance import Expected
from clozekit.grading.trees import floating_leaves, leaves, mapped, parts
from clozekit.meters import callstring
from clozekit.report import MeterName
from clozekit.wire import PREFIX, Violation

FORMAT = b"clozekit cases 1\n"
Bill = dict[MeterName, float]  # what a call of full size costs the solution


@dataclass
class Case:
    """One test: its name as pytest has it, and all that it asks, in order."""

    name: str
    points: float
    script: list[Question]


@dataclass
class Tape:
    """versions: of the packages on which costs depend. seed: of samples of costs. hidden: how many cases are not here."""

    versions: dict[str, str]
    seed: int
    hidden: int
    cases: list[Case]
    bills: Mapping[str, Bill] = field(default_factory=dict)


class Answer(Struct, forbid_unknown_fields=True, frozen=True):
    """An Expected. named: of the tuples in it that have names for their parts, these names, by path.

    laws: of what is drawn at random, by path; in the value None stands there.
    """

    value: values.Value
    spread: values.Value
    compute: values.Dtype
    dtype: values.Dtype | None
    dtypes: dict[str, values.Dtype | None]
    named: dict[str, list[str]]
    laws: dict[str, Law]


class Proven(Struct, forbid_unknown_fields=True, frozen=True):
    """A Proof."""

    target: str
    args: list[values.Value]
    kwargs: dict[str, values.Value]
    truth: Answer
    bars: dict[MeterName, float]


class Asked(Struct, forbid_unknown_fields=True, frozen=True):
    """A Question. size: of the request's bytes. smaller: the place of the other question in its case.

    priced: the text of a call of full size, from which the request follows.
    """

    text: str
    request: calls.Call | calls.Parameters | None = None
    size: int = 0
    answer: Answer | None = None
    gradients: dict[str, Answer] = {}
    labels: list[str] = []
    smaller: int | None = None
    proof: Proven | None = None
    bars: dict[MeterName, float] | None = None
    again: str = ""
    priced: str = ""


class Recorded(Struct, forbid_unknown_fields=True, frozen=True):
    """A Case."""

    name: str
    points: float
    script: list[Asked]


class Header(Struct, forbid_unknown_fields=True, frozen=True):
    """A Tape."""

    versions: dict[str, str]
    seed: int
    hidden: int
    cases: list[Recorded]
    bills: dict[str, Bill]


class Unrecordable(Exception):
    """A case compares something that is no data."""


def write(tape: Tape) -> bytes:
    """The file.

    Raises:
        Unrecordable
    """
    buffers: list[Any] = []
    cases = [
        Recorded(case.name, case.points, [_asked(question, case.script, buffers) for question in case.script])
        for case in tape.cases
    ]
    header = msgspec.msgpack.encode(Header(tape.versions, tape.seed, tape.hidden, cases, dict(tape.bills)))
    payload = b"".join(map(bytes, buffers))
    return FORMAT + PREFIX.pack(len(header), len(payload)) + header + payload


def _asked(question: Question, script: list[Question], buffers: list[Any]) -> Asked:
    if question.priced:
        return Asked(question.text, priced=question.priced.text)
    assert isinstance(question.request, calls.Call | calls.Parameters)
    buffers += question.buffers
    truth, proof = question.truth, question.proof
    return Asked(
        question.text,
        question.request,
        sum(len(buffer) for buffer in question.buffers),
        _answer(truth.answer, buffers) if truth else None,
        {path: _answer(each, buffers) for path, each in truth.gradients.items()} if truth else {},
        question.labels,
        next((at for at, each in enumerate(script) if each is question.smaller), None),
        _proven(proof, buffers) if proof else None,
        dict(question.bars) if question.bars is not None else None,
        question.again,
    )


def _answer(expected: Expected, buffers: list[Any]) -> Answer:
    drawn = {path: leaf for path, leaf in leaves(expected.value) if isinstance(leaf, Law)}
    return Answer(
        _encoded(mapped(lambda leaf: None if isinstance(leaf, Law) else leaf, expected.value), buffers),
        _encoded(expected.spread, buffers),
        values.DTYPE_NAMES[expected.compute],  # type: ignore[arg-type]
        _name(expected.dtype),
        {path: _name(dtype) for path, dtype in expected.dtypes.items()},
        dict(_named(expected.value, "")),
        drawn,
    )


def _proven(proof: Proof, buffers: list[Any]) -> Proven:
    args = [_encoded(arg, buffers, strided=True) for arg in proof.args]
    kwargs = {name: _encoded(arg, buffers, strided=True) for name, arg in proof.kwargs.items()}
    return Proven(proof.target, args, kwargs, _answer(proof.truth, buffers), dict(proof.bars))


def _encoded(value: Any, buffers: list[Any], strided: bool = False) -> values.Value:
    header = values.encode(value, buffers, strided)
    if foreign := next(_foreign(header), None):
        raise Unrecordable(f"`{foreign.name}` cannot be written down")
    return header


def _foreign(header: values.Value) -> Iterator[values.Foreign]:
    if isinstance(header, values.Foreign):
        yield header
    for item in header.items if isinstance(header, values.Items) else ():
        yield from _foreign(item)


def _named(tree: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if hasattr(tree, "_fields"):
        yield path, list(tree._fields)
    for step, child in (parts(tree) or {}).items():
        yield from _named(child, path + step)


def _name(dtype: torch.dtype | None) -> Any:
    return values.DTYPE_NAMES[dtype] if dtype else None


def read(raw: bytes) -> Tape:
    """What such a file holds.

    Raises:
        ContentError: it is not whole, or no such file.
    """
    start = len(FORMAT) + PREFIX.size
    if not raw.startswith(FORMAT) or len(raw) < start:
        raise ContentError(
            f"not a file of cases as this kit writes it: it does not begin with {FORMAT.decode().strip()!r}"
        )
    header_size, payload_size = PREFIX.unpack(raw[len(FORMAT) : start])
    if len(raw) != start + header_size + payload_size:
        raise ContentError(f"not whole: {len(raw)} bytes of {start + header_size + payload_size}")
    try:
        header = msgspec.msgpack.decode(raw[start : start + header_size], type=Header)
        reader = values.Reader(bytearray(raw[start + header_size :]), strided=True)
        cases = [Case(each.name, each.points, _script(each.script, reader)) for each in header.cases]
        reader.finish()
    except (msgspec.DecodeError, Violation, callstring.BadCall, ValueError, IndexError, RecursionError) as error:
        raise ContentError(f"malformed: {error}"[:500]) from None
    return Tape(header.versions, header.seed, header.hidden, cases, header.bills)


def _script(asked: list[Asked], reader: values.Reader) -> list[Question]:
    script: list[Question] = []
    for each in asked:
        script.append(_question(each, script, reader))
        reader.count = 0
    return script


def _question(asked: Asked, before: list[Question], reader: values.Reader) -> Question:
    if asked.request is None:
        call = callstring.parse(asked.priced)
        return Question(asked.text, dry(call), [], priced=call)
    raw = bytearray(reader.payload[reader.offset : reader.offset + asked.size])
    reader.offset += asked.size
    own = values.Reader(raw, strided=True)
    question = Question(asked.text, asked.request, [raw], labels=asked.labels, bars=asked.bars, again=asked.again)
    if isinstance(asked.request, calls.Parameters):
        question.wanted = {name: own.decode(value) for name, value in asked.request.values.items()}
        return question
    args = [own.decode(value) for value in asked.request.args]
    question.given = floating_leaves([args, {name: own.decode(value) for name, value in asked.request.kwargs.items()}])
    if asked.answer:
        answer = _expected(asked.answer, reader)
        question.truth = Truth(answer, {path: _expected(each, reader) for path, each in asked.gradients.items()})
    if asked.smaller is not None:
        question.smaller = before[asked.smaller]
    if proven := asked.proof:
        args = [reader.decode(arg) for arg in proven.args]
        kwargs = {name: reader.decode(arg) for name, arg in proven.kwargs.items()}
        truth = _expected(proven.truth, reader)
        question.proof = Proof(asked.text, proven.target, tuple(args), kwargs, truth, proven.bars)
    return question


def _expected(answer: Answer, reader: values.Reader) -> Expected:
    value = _renamed(reader.decode(answer.value), "", answer.named)
    paths = iter([path for path, _ in leaves(value)])
    return Expected(
        mapped(lambda leaf: answer.laws.get(next(paths), leaf), value),
        _renamed(reader.decode(answer.spread), "", answer.named),
        values.DTYPES[answer.compute],
        _dtype(answer.dtype),
        {path: _dtype(name) for path, name in answer.dtypes.items()},
    )


def _renamed(tree: Any, path: str, named: Mapping[str, list[str]]) -> Any:
    """The tree with the names of tuples as they were."""
    names = named.get(path)
    steps = [f".{name}" for name in names] if names else list(parts(tree) or ())
    if isinstance(tree, dict):
        return {
            key: _renamed(child, path + step, named) for (key, child), step in zip(tree.items(), steps, strict=True)
        }
    if not isinstance(tree, list | tuple):
        return tree
    children = [_renamed(child, path + step, named) for child, step in zip(tree, steps, strict=True)]
    if names:
        return namedtuple("Answer", names)(*children)
    return children if isinstance(tree, list) else tuple(children)


def _dtype(name: str | None) -> torch.dtype | None:
    return values.DTYPES[name] if name else None
