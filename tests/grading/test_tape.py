"""The file of recorded cases: it says what was asked, to the last bit, and what is not whole is refused."""

import random
from collections import namedtuple

import pytest
import torch

from clozekit.errors import ContentError
from clozekit.exercise import Exercise
from clozekit.grading import tape
from clozekit.grading.compare import difference
from clozekit.grading.evidence import Proof
from clozekit.grading.questions import Question, Truth, encode
from clozekit.grading.tolerance import expect
from clozekit.meters import callstring
from clozekit.wire import PREFIX

Pair = namedtuple("Pair", "loss rest")


def question(returned, *args, **fields):
    request, buffers = encode(None, "f", args, {})
    truth = Truth(expect(lambda *_: returned, args), {"x": expect(lambda *_: torch.ones(2), args)})
    return Question("f(…)", request, buffers, truth=truth, **fields)


def tape_of(*script):
    return tape.Tape({"torch": "2.13.0", "triton": ""}, 7, 3, [tape.Case("test_f[one]", 2.5, list(script))], {})


def replayed(asked):
    """The question as it comes out of a file."""
    return tape.read(tape.write(tape_of(asked))).cases[0].script[0]


RETURNED = {
    "a tensor": torch.tensor([1.5, float("nan"), float("inf")]),
    "integers": torch.tensor([[1, 2], [3, 4]]),
    "a scalar": torch.tensor(3.0),
    "nothing in it": torch.zeros(0, 4),
    "a number": 0.1,
    "words": ["a", b"\xff", None, True, 1 << 80],
    "a dict": {"a": torch.ones(2), 3: {"b": (1, 2.0)}},
    "names": Pair(torch.ones(2), {"inner": [Pair(1, 2)]}),
    "a set": {1, 2},
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_is_expected_is_what_was_expected(name):
    asked = question(RETURNED[name], torch.arange(2.0))
    found = replayed(asked)
    assert (found.text, found.request) == (asked.text, asked.request)
    assert b"".join(map(bytes, found.buffers)) == b"".join(map(bytes, asked.buffers))
    for ours, theirs in zip(asked.pairs(asked.answer), found.pairs(found.answer), strict=True):
        assert ours[0] == theirs[0]
        assert repr(ours[2]) == repr(theirs[2]).replace("Answer(", "Pair(")
    assert difference(RETURNED[name], found.truth.answer) is None


def test_a_tuple_with_names_is_told_by_its_names():
    found = replayed(question(RETURNED["names"], torch.arange(2.0)))
    wrong = difference((torch.zeros(2), {"inner": [(1, 2)]}), found.truth.answer)
    assert wrong.where.startswith(".loss")


def test_the_rest_of_a_question_comes_back():
    x = torch.arange(6.0).reshape(2, 3).T  # its layout is part of the case
    first = question(1, x)
    proof = Proof("f(…)", "f", (x + 1,), {"k": 2}, expect(lambda: x, ()), {"loads": 8.0})
    second = question(1, x, labels=["x"], smaller=first, proof=proof, bars={"flops": 3.0}, again="refilled")
    priced = Question("g", first.request, [], priced=callstring.parse("g(float32[4, 8])"))
    found = tape.read(tape.write(tape_of(first, second, priced)))
    script = found.cases[0].script
    assert (found.versions, found.seed, found.hidden) == ({"torch": "2.13.0", "triton": ""}, 7, 3)
    assert (found.cases[0].name, found.cases[0].points) == ("test_f[one]", 2.5)
    assert script[1].smaller is script[0]
    assert (script[1].labels, script[1].bars, script[1].again) == (["x"], {"flops": 3.0}, "refilled")
    assert script[1].proof.inputs[0].stride() == (x + 1).stride()
    assert (script[1].proof.kwargs, script[1].proof.bars) == ({"k": 2}, {"loads": 8.0})
    assert [given.stride() for given in script[1].given] == [x.stride()]
    assert script[2].priced == priced.priced
    assert script[2].request.dry


UNWRITTEN = {
    "a number of Python alone": 2j,
    "an object": [object()],
    "a sparse tensor": {"a": torch.ones(2).to_sparse()},
}


@pytest.mark.parametrize("returned", UNWRITTEN.values(), ids=UNWRITTEN)
def test_what_is_no_data_is_not_written(returned):
    request, buffers = encode(None, "f", (), {})
    asked = Question("f()", request, buffers, truth=Truth(expect(lambda: 1, ())))
    object.__setattr__(asked.truth.answer, "value", returned)
    with pytest.raises(tape.Unrecordable):
        tape.write(tape_of(asked))


def test_a_file_that_is_cut_off_is_refused():
    raw = tape.write(tape_of(question(1.0, torch.ones(3))))
    for length in range(len(raw)):
        with pytest.raises(ContentError):
            tape.read(raw[:length])
    with pytest.raises(ContentError, match="not whole"):
        tape.read(raw + b"\0")


def test_a_file_with_other_bytes_is_read_or_refused():
    """Nothing else happens: the reader believes neither lengths nor places nor types."""
    raw = tape.write(tape_of(question(RETURNED["names"], torch.ones(3)), question(RETURNED["a dict"], torch.ones(1))))
    draw = random.Random(1)
    start = len(tape.FORMAT) + PREFIX.size
    refused = 0
    for _ in range(3000):
        changed = bytearray(raw)
        changed[draw.randrange(start, len(raw))] = draw.randrange(256)
        try:
            tape.read(bytes(changed))
        except ContentError:
            refused += 1
    assert refused > 500


def test_a_recording_does_not_depend_on_when_it_is_made(author, engine):
    exercise: Exercise = author()
    assert engine.record(exercise) == engine.record(exercise)
