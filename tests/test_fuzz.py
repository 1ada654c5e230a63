"""Whatever comes in, what reads it gives a value or the error that it promises: the wire, the TOML, the blank cutter, the rules.

    CLOZE_FUZZ=100000 pytest tests/test_fuzz.py         other examples, and as many: for a night

By default a few seconds, the same examples every time. Mutations start from real files, to get beyond the first check.
"""

import functools
import os
import socket
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clozekit import blanks, calls, rules, submission, values
from clozekit.catalog import Catalog, Contents, builtin_root
from clozekit.describe import describe
from clozekit.errors import ContentError
from clozekit.exercise import LANGUAGES, Exercise, Sheet, read_sheet
from clozekit.skeleton import SOLUTION, WORDS
from clozekit.typed_toml import read_toml
from clozekit.wire import PREFIX, Channel, Gone, Violation

LONG = int(os.environ.get("CLOZE_FUZZ", "0"))
TESTS = Path(__file__).parent
EXERCISES = list(Catalog([builtin_root()]))


def fuzz(examples: int):
    return settings(
        max_examples=LONG or examples,
        derandomize=not LONG,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


ODD = [
    "\0",
    "\t",
    "\f",
    "\r",
    "\u2028",
    "\ufeff",
    "\udcff",
    "ﬁ",
    "字",
    "'",
    '"""',
    "\\",
    "\\\n",
    "{",
    "]",
    "(" * 300,
    "x = " + "-" * 9000,
    "1" * 5000,
]


@st.composite
def mutated(draw, texts: list[str], pieces: tuple[str, ...] = ()) -> str:
    """A real text, some parts replaced by nothing, anything, or a part of itself or of another."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 40)))
        other = draw(st.sampled_from(texts))
        cut = draw(st.integers(0, len(other)))
        part = st.just(other[cut : cut + draw(st.integers(0, 60))])
        text = text[:start] + draw(st.sampled_from([*ODD, *pieces]) | st.text(max_size=6) | part) + text[stop:]
    return text


@st.composite
def reordered(draw, texts: list[str]) -> str:
    """A real text, some of its lines gone, doubled, indented or elsewhere."""
    lines = draw(st.sampled_from(texts)).split("\n")
    for _ in range(draw(st.integers(1, 5))):
        at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        match draw(st.sampled_from(["delete", "double", "move", "indent", "dedent"])):
            case "delete":
                lines[at] = ""
            case "double":
                lines.insert(to, line)
            case "move":
                lines.insert(to, lines.pop(at))
            case "indent":
                lines[at] = f"    {line}"
            case "dedent":
                lines[at] = line.removeprefix("    ")
    return "\n".join(lines)


def writable(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# The wire


def received(raw: bytes, monkeypatch) -> list[int]:
    """Let a worker send these bytes. Returns the lengths for which memory was taken."""
    taken = []
    receive = Channel._receive
    ours, theirs = socket.socketpair()
    with ours, theirs, monkeypatch.context() as patch:
        patch.setattr(
            Channel, "_receive", lambda self, length, when: taken.append(length) or receive(self, length, when)
        )
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        channel = Channel(ours)
        try:
            while True:
                reply, payload, _ = channel.receive(calls.Reply, payload_limit=1000)
                read_all(reply, payload)
        except (Violation, Gone):
            return taken


def read_all(reply, payload: bytearray) -> list:
    """Decode everything that a reply holds, as a candidate does."""
    if not isinstance(reply, calls.Returned):
        return []
    reader = values.Reader(payload)
    parts = [reply.value, *(reply.inputs or []), *(reply.parameters or {}).values()]
    found = [reader.decode(part) for part in parts]
    reader.finish()
    return found


lengths = st.integers(0, 40) | st.sampled_from([1000, 1001, 8 << 20, (8 << 20) + 1, (1 << 32) - 1])
frames = st.builds(
    lambda header, payload, content: PREFIX.pack(header, payload) + content, lengths, lengths, st.binary(max_size=80)
)


@fuzz(200)
@given(raw=st.lists(frames | st.binary(max_size=30), max_size=4).map(b"".join))
def test_a_stream_of_any_bytes_ends_in_a_violation_or_an_end_and_takes_no_more_than_the_caps(raw):
    with pytest.MonkeyPatch.context() as monkeypatch:
        for length in received(raw, monkeypatch):
            assert length <= 8 << 20


REPLIES = []
for value in (torch.ones(2, 3), [torch.zeros(2, dtype=torch.bool), {"a": (1, 2**80)}], "text", {1.5: b"octets"}):
    buffers: list = []
    header = calls.Returned(7, values.encode(value, buffers), ["0"], [values.encode(torch.ones(2), buffers)])
    REPLIES.append((msgspec.msgpack.encode(header), b"".join(buffers)))
REPLIES += [
    (msgspec.msgpack.encode(calls.Raised(7, "ValueError", "text", "frames", ["name"])), b""),
    (msgspec.msgpack.encode(calls.Mismatched(7, {"weight": [2, 3]})), b""),
]


@fuzz(400)
@given(data=st.data())
def test_a_reply_with_bytes_changed_is_read_or_refused(data):
    header, payload = data.draw(st.sampled_from(REPLIES))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(header)))
        new = data.draw(st.binary(max_size=3) | st.sampled_from([b"\xff" * 9, b"\xc0", b"\xdd\xff\xff\xff\xff"]))
        header = header[:at] + new + header[at + data.draw(st.integers(0, 3)) :]
    try:
        reply = msgspec.msgpack.decode(header, type=calls.Reply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    try:
        found = read_all(reply, bytearray(payload))
    except Violation:
        return
    assert sum(map(nbytes, found)) <= len(payload)


def nbytes(value) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return sum(map(nbytes, value))
    return value.numel() * value.element_size() if isinstance(value, torch.Tensor) else 0


# The TOML

SHEETS = [WORDS, *(exercise.words_path.read_text("utf-8") for exercise in EXERCISES)]
CONTENTS = [(builtin_root() / "exercises/contents.toml").read_text("utf-8")]
TOML = (
    "[en]\n",
    "[[en]]\n",
    "[zh.cases]\n",
    "x = 1\n",
    "a.b = {}\n",
    "1979-05-27",
    "inf",
    "0x1",
    "= [",
    '""',
    "[" * 3000,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """written(text): the path of a file with this text."""
    path = tmp_path_factory.mktemp("fuzz") / "lab.toml"

    def written(text):
        path.write_bytes(writable(text))
        return path

    return written


def outcome(read, *args):
    """What it returns, or the error that it promises."""
    try:
        return read(*args)
    except ContentError as error:
        return error


@fuzz(250)
@given(text=mutated(SHEETS, TOML) | reordered(SHEETS) | st.text(max_size=60))
def test_a_sheet_is_read_or_its_file_is_named(text, written):
    path = written(text)
    sheet = outcome(read_sheet, path)
    if isinstance(sheet, Sheet):
        assert len(sheet.en.hints) == len(sheet.zh.hints)
    else:
        assert str(sheet).startswith(f"{path}: ")


@fuzz(100)
@given(text=mutated(CONTENTS, TOML) | reordered(CONTENTS))
def test_a_table_of_contents_is_read_or_its_file_is_named(text, written):
    path = written(text)
    contents = outcome(read_toml, path, Contents)
    assert isinstance(contents, Contents) or str(contents).startswith(f"{path}: ")


# The blank cutter

SOLUTIONS = [SOLUTION.replace("NAME", "square"), *(exercise.solution for exercise in EXERCISES)]
ENTRIES = functools.reduce(lambda all, exercise: all | exercise.entries, EXERCISES, {"square": []})
PROMPTS = {blank.name: "say it\nin two lines" for text in SOLUTIONS for blank in blanks.find(text)} | {"a": "b"}
MARKS = (
    "# BLANK a\n",
    "    # BLANK a\n",
    "# END\n",
    "    # END\n",
    "    # END a",
    "#BLANK",
    "# BLANK",
    "def f(): pass\n",
)
texts = (mutated(SOLUTIONS, MARKS) | reordered(SOLUTIONS) | st.text(max_size=60)).map(
    lambda text: text.replace("\udcff", "")  # what is read from a file of UTF-8 has none
)


@fuzz(250)
@given(source=texts)
def test_a_cut_solution_holds_no_answer_or_a_line_is_named(source):
    try:
        found = blanks.find(source)
        cut = blanks.guided(source, PROMPTS, "TODO ({lines} line{s}): {prompt}")
    except ContentError:
        return
    lines = blanks._lines(source)
    inside = {number for blank in found for number in range(blank.first, blank.last + 1)}
    outside = Counter(line for number, line in enumerate(lines, 1) if number not in inside)
    new = Counter(blanks._lines(cut)) - outside
    stubs = [line for line in new if line.strip().startswith(("# ", "raise NotImplementedError("))]
    assert sorted(new) == sorted(stubs)
    assert sum(line.strip().startswith("raise") for line in new.elements()) == len(found)


@fuzz(150)
@given(source=texts)
def test_a_solution_is_emptied_revealed_and_filled_or_a_line_is_named(source):
    for made in (
        outcome(blanks.scratch, source, ENTRIES, "TODO: write it all"),
        outcome(blanks.reveal, source),
        outcome(blanks.fill, source, "a", "pass"),
        outcome(blanks.rewrite, source, "square", "def square(x):\n    pass\n"),
    ):
        assert isinstance(made, str | ContentError)


# The rules

HANDED_IN = [
    path.read_bytes().decode("utf-8", "replace")
    for folder in ("attacks", "honest", "rules")
    for path in sorted((TESTS / folder).rglob("*.py"))
    if path.stat().st_size < 6000
] + SOLUTIONS
NAMES = "torch F functional sys modules os self x y f getattr globals __dict__ exec softmax rms_norm tl kernel submission".split()
name = st.sampled_from(NAMES)
expressions = st.recursive(
    name
    | st.sampled_from(
        ["1", "None", "'softmax'", "f'{x}'", "...", "b''", "-1j", "(*x, y)", "(yield)", "1 << 9", "(await f)"]
    ),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, name),
        st.builds("{}({}, {}={})".format, inner, inner, name, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, name, inner, inner),
        st.builds("(lambda {}={}: {})".format, name, inner, inner),
        st.builds("({} := {})".format, name, inner),
        st.builds("{{{}: {}, **{}}}".format, inner, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("getattr({}, {}, {})".format, inner, inner, inner),
        st.builds("({} + {})".format, inner, inner),
    ),
    max_leaves=8,
)
simple = st.one_of(
    expressions,
    st.builds("import {}.{} as {}".format, name, name, name),
    st.builds("from {} import {} as {}".format, name, name, name),
    st.builds("from {} import *".format, name),
    st.builds("{} = {}, *{} = {}".format, name, name, name, expressions),
    st.builds("{}.{}[{}] = {}".format, name, name, expressions, expressions),
    st.builds("{}: {} = {}".format, name, expressions, expressions),
    st.builds("global {}".format, name),
    st.builds("del {}".format, name),
    st.builds("return {}".format, expressions),
    st.builds("{} += {}".format, name, expressions),
)


def block(head: str, body: list[str]) -> str:
    return "\n".join([f"{head}:", *(f"    {line}" for each in body for line in each.split("\n"))])


statements = st.recursive(
    simple,
    lambda inner: st.builds(
        block,
        st.one_of(
            st.builds("def {}({}, *{}, {}={}, **k)".format, name, name, name, name, expressions),
            st.builds("class {}({}, metaclass={})".format, name, expressions, expressions),
            st.builds("for {} in {}".format, name, expressions),
            st.builds("with {} as {}".format, expressions, name),
            st.builds("if {}".format, expressions),
            st.builds("while {}".format, expressions),
            st.builds("@{}\nasync def {}()".format, expressions, name),
            st.just("try:\n    pass\nexcept* (x, y) as f"),
            st.builds("match {}:\n  case {{'a': {}, **y}} | [*f]".format, expressions, name),
        ),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


def analysed(raw: bytes, exercise: Exercise) -> None:
    """Analyse a file as a worker does; all that may happen is that it is unreadable."""
    try:
        taken = submission.parse(raw, "answer.py")
    except submission.Unreadable as unreadable:
        problems = [unreadable.problem]
    else:
        lines = taken.source.count("\n") + 1
        found = rules.findings(taken.tree, exercise.sheet.policy)
        assert all(1 <= each.line <= lines and each.column >= 1 for each in found)
        problems = [each.problem for each in found]
    for problem in problems:
        for language in LANGUAGES:
            assert describe(problem, language)


@fuzz(250)
@given(text=mutated(HANDED_IN) | reordered(HANDED_IN), exercise=st.sampled_from(EXERCISES))
def test_a_changed_submission_is_analysed_or_unreadable(text, exercise):
    analysed(writable(text), exercise)


@fuzz(80)
@given(program=st.lists(statements, min_size=1, max_size=4).map("\n".join), exercise=st.sampled_from(EXERCISES))
def test_a_program_of_any_statements_is_analysed_or_unreadable(program, exercise):
    analysed(writable(program), exercise)


@fuzz(150)
@given(raw=st.binary(max_size=80) | st.text(max_size=60).map(writable), exercise=st.sampled_from(EXERCISES))
def test_any_bytes_are_analysed_or_unreadable(raw, exercise):
    analysed(raw, exercise)
