"""Fingerprints: the same for the same program in other clothes, others for another program, and cheap for any text."""

import pytest

from clozekit.classroom.fingerprints import GRAM, LONGEST, fingerprints, statements

PLAIN = '''\
import torch


def norm(x, weight, eps=1e-6):
    """x [..., d] -> [..., d]"""
    mean = x.pow(2).mean(-1, keepdim=True)
    scale = torch.rsqrt(mean + eps)
    return x * scale * weight


def twice(values):
    return [2 * value for value in values if value != 0]
'''
SAME = {
    "names": ("mean = x", "m2 = x"),
    "a name in another alphabet": ("mean = x", "среднее = x"),
    "comments": ("    scale", "    # the root\n    scale"),
    "a comment behind": ("keepdim=True)", "keepdim=True)  # [..., 1]"),
    "docstrings": ("x [..., d] -> [..., d]", "What it does."),
    "blank lines": ("\n    return x", "\n\n\n    return x"),
    "white space": (" * ", "*"),
    "lines in brackets": ("(-1, keepdim=True)", "(\n        -1,\n        keepdim=True,\n    )"),
    "a line continued": ("mean = x", "mean = \\\n        x"),
    "round brackets": ("x * scale * weight", "(x * scale) * weight"),
    "two statements in a line": ("True)\n    scale", "True); scale"),
    "imports": ("import torch", "from torch import Tensor\nimport torch as torch"),
    "letters that are the same to Python": ("rsqrt", "ｒsqrt"),
}
OTHER = {
    "a function of the library": ("rsqrt", "sqrt"),
    "a number": ("pow(2)", "pow(3)"),
    "a sign": ("mean + eps", "mean - eps"),
    "a sign of two characters": ("!= 0", "== 0"),
    "a constant": ("True", "False"),
    "a statement": ("    scale = torch.rsqrt(mean + eps)\n", ""),
}


def prints(text: str) -> set[str]:
    return set(fingerprints(text).places)


@pytest.mark.parametrize("name", SAME)
def test_clothes_leave_no_trace(name):
    changed = PLAIN.replace(*SAME[name])
    assert changed != PLAIN
    assert prints(changed) == prints(PLAIN)


@pytest.mark.parametrize("name", OTHER)
def test_another_program_has_other_fingerprints(name):
    changed = PLAIN.replace(*OTHER[name])
    assert changed != PLAIN
    assert prints(changed) != prints(PLAIN)


def test_the_order_of_statements_leaves_no_trace():
    assert prints("\n".join(reversed(PLAIN.splitlines()))) == prints(PLAIN)


def test_a_name_behind_a_dot_is_the_librarys_unless_the_file_defines_it():
    used, defined, called, compared = (
        [prints(text.replace("heads", name)) for name in ("heads", "parts")]
        for text in (
            "y = self.heads * x.mean\n",
            "self.heads = 3 + x\ny = self.heads * x.mean\n",
            "def heads(x):\n    pass\ny = self.heads(x) * x.mean\n",
            "if self.heads == 3 + x:\n    pass\n",
        )
    )
    assert used[0] != used[1]
    assert defined[0] == defined[1]
    assert called[0] == called[1]
    assert compared[0] != compared[1]


def test_fingerprints_know_where_they_come_from():
    places = fingerprints(PLAIN).places
    assert {PLAIN[start:stop] for start, stop in places["V = V . rsqrt V"]} == {"scale = torch.rsqrt(mean"}
    assert all(len(each.split()) <= GRAM for each in places)


@pytest.mark.parametrize("literal", ['"a # b; c"', "'it''s'", r"rb'\''", '"""a\nb;"" """', r"'''\''' '''", '""'])
def test_what_stands_in_a_string_is_text(literal):
    [line] = statements(f"s = {literal} + tail[1]\n")
    assert [token.text for token in line][:2] == ["V", "="]
    assert [token.text for token in line if token.text != "S"][2:] == ["+", "V", "[", "1", "]"]


START = "x = 1 + 2\n"
BAD = {
    "a string without end": "y = '" + "a" * 1_000_000,
    "one of three quotes without end": "y = '''" + "a" * 1_000_000,
    "quotes that never close": '"""\\' * 250_000,
    "prefixes of no string": "rb" * 500_000,
    "backslashes": "\\" * 1_000_000,
    "brackets": "(" * 1_000_000,
    "white space": " \t" * 500_000,
    "one name": "def " + "a" * 1_000_000,
    "a definition without a name": "def" + " " * 1_000_000,
    "dots": "." * 1_000_000,
    "no text": "".join(map(chr, range(256))) * 4_000,
}


@pytest.mark.parametrize("name", BAD)
def test_any_text_has_fingerprints_in_one_walk(name):
    """A text that is gone over for each of its characters would take hours here."""
    assert "V = 1 + 2" in prints(START + BAD[name])


@pytest.mark.parametrize("text", ["x = f(1, y, 2) + z\n" * 100_000, "x = [" + "1, " * 300_000, "x = 1;" * 150_000])
def test_of_a_long_text_the_beginning_counts_and_that_is_told(text):
    found = fingerprints(text)
    assert found.cut
    assert sum(map(len, found.places.values())) <= LONGEST + GRAM
    assert not fingerprints(text[:1000]).cut
