"""What a call was given, looked at again when it has returned."""

import pytest
import torch

from clozekit.leaves import outline


class EqualToAll:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("ada")


CHANGES = {
    "a value more": lambda x: x.append(1),
    "a value less": lambda x: x[1]["ids"].pop(),
    "another order": lambda x: x[1]["ids"].reverse(),
    "a key more": lambda x: x[1].update(more=1),
    "another key": lambda x: x[1].update(other=x[1].pop("ids")),
    "an equal tensor": lambda x: x.__setitem__(0, x[0].clone()),
    "a number of another type": lambda x: x[1]["ids"].__setitem__(0, 1.0),
    "a tuple for a list": lambda x: x[1].update(ids=tuple(x[1]["ids"])),
    "a member more": lambda x: x[3].add("bob"),
    "a member of another type": lambda x: (x[3].remove(1), x[3].add(1.0)),
    "a member that says it is equal": lambda x: (x[3].remove("ada"), x[3].add(EqualToAll())),
    "what says that it is equal": lambda x: x[1]["ids"].__setitem__(0, EqualToAll()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_shows_wherever_it_is(name):
    given = [torch.ones(2), {"ids": [1, 2, float("nan")], "name": "ada"}, (None, b"x"), {"ada", 1, (2, 3)}]
    before = outline(given)
    assert outline(given) == before
    CHANGES[name](given)
    assert outline(given) != before


def test_what_was_put_back_has_not_changed():
    given = [{"a": 1, "b": 2}]
    before = outline(given)
    given[0]["a"] = given[0].pop("a")
    given.append(given.pop())
    assert outline(given) == before
