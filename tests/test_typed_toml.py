"""What is written as TOML is read as it was. (tests/test_exercise.py has what is wrong with a file.)"""

import tomllib

import msgspec
import pytest
from msgspec import Struct

from clozekit.catalog import Catalog, Contents, builtin_root, contents
from clozekit.exercise import Sheet
from clozekit.typed_toml import as_toml

EXERCISES = {exercise.id: exercise for exercise in Catalog([builtin_root()])}


class Odd(Struct):
    """What no sheet of the kit has."""

    words: dict[str, str]
    numbers: list[float]
    empty: dict[str, dict[str, int]]


@pytest.mark.parametrize("id", EXERCISES)
def test_a_sheet_comes_back(id):
    sheet = EXERCISES[id].sheet
    assert msgspec.convert(tomllib.loads(as_toml(sheet)), Sheet) == sheet


def test_the_contents_come_back():
    found = contents(builtin_root())
    assert msgspec.convert(tomllib.loads(as_toml(found)), Contents) == found


def test_odd_keys_and_signs_come_back():
    signs = "".join(map(chr, [*range(0x180), 0x2028, 0xFEFF, 0x1F600]))
    odd = Odd(
        {'a "b".c': signs, "": "\\n", "é": "'''\"\"\""}, [1e-30, 2.0, float("inf")], {"none": {}, "a.b": {"x y": 1}}
    )
    assert msgspec.convert(tomllib.loads(as_toml(odd)), Odd) == odd
