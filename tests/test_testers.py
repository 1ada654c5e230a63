"""How many testers stay warm: few, since each takes 40 to 80 MB, and none is ended while it grades."""

import pytest

from clozekit import submission
from clozekit.engine import Engine

RIGHT = submission.Upload("answer.py", b"def square(x, scale=2.0):\n    return scale * x * x\n")


@pytest.fixture(scope="module")
def three(author):
    return [author() for _ in range(3)]


@pytest.fixture
def narrow(monkeypatch):
    """A judge that keeps two testers."""
    monkeypatch.setattr("clozekit.engine.WARM", 2)
    with Engine() as engine:
        yield engine


def is_there(tester):
    return tester.channel.sock.fileno() != -1


def test_the_tester_that_was_wanted_longest_ago_makes_room(narrow, three):
    first, second = narrow.tester(three[0]), narrow.tester(three[1])
    assert narrow.tester(three[0]) is first
    third = narrow.tester(three[2])
    assert [is_there(each) for each in (first, second, third)] == [True, False, True]
    assert narrow.grade(three[1], RIGHT).verdict == "passed"


def test_a_tester_that_grades_is_not_ended_for_others(narrow, three, monkeypatch):
    busy, lend = narrow.tester(three[0]), narrow.lend

    def amid_a_crowd(*arguments):
        for other in three[1:]:
            narrow.tester(other)
        return lend(*arguments)

    monkeypatch.setattr(narrow, "lend", amid_a_crowd)
    assert narrow.grade(three[0], RIGHT).verdict == "passed"
    assert is_there(busy)
    assert busy.jobs == 0
    narrow.tester(three[2]), narrow.tester(three[1])
    assert len(narrow.testers) == 2
