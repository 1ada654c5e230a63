"""docs/formats.md shows what the kit writes: each line of an excerpt, but for its numbers, occurs in the format."""

import re
from pathlib import Path

import pytest

from clozekit import render
from clozekit.classroom import gradebook
from clozekit.exports import GRADEBOOKS, REPORTS, export

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
EXCERPTS = dict(re.findall(r"^`(\w+)`[^\n]*\n\n```\w*\n(.*?)\n```$", PAGE.read_text("utf-8"), re.M | re.S))
CHEAT = (
    "import torch\n\n\ndef rms_norm(x, weight, eps=1e-6):\n    return torch.rms_norm(x, x.shape[-1:], weight, eps)\n"
)


@pytest.fixture(scope="module")
def lines(grade, rms_norm, solution):
    sources = {"ada": solution, "bob": solution.replace("+ eps)", ") + eps"), "cyd": CHEAT}
    whose = {"file": "normalization/rms_norm.py", "attempt": "", "handed_in": ""}
    told = {student: render.as_json(grade(source), rms_norm, "en", "visible") for student, source in sources.items()}
    return [{"student": student, **whose, **each, "seconds": 1.211} for student, each in told.items()]


def without_numbers(text):
    return re.sub(r"[0-9a-f]{64}|-?\d+(\.\d+)?(e-?\d+)?", "#", text)


def test_every_format_has_an_excerpt_and_a_row():
    assert set(EXCERPTS) == {*REPORTS, *GRADEBOOKS}
    assert set(re.findall(r"^\| `(\w+)` \| [^`]", PAGE.read_text("utf-8"), re.M)) == {*REPORTS, *GRADEBOOKS}


@pytest.mark.parametrize("form", [*REPORTS, *GRADEBOOKS])
def test_an_excerpt_is_what_is_written(form, lines):
    given = lines[1:2] if form in ("gradescope", "prairielearn") else lines
    given = gradebook.grades(lines, {}) if form in GRADEBOOKS else given
    written = without_numbers(export(form, given, "en")).splitlines()
    assert [line for line in without_numbers(EXCERPTS[form]).splitlines() if line not in written] == []
