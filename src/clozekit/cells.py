"""The answers in a notebook, out of bytes that nobody has looked into. Only a process that may be hurt by them calls this.

    {"cells": [{"cell_type": "code", "metadata": {"cloze": {"exercise": "normalization/rms_norm", "role": "answer"}},
                "source": "# cloze: normalization/rms_norm\\nimport torch\\n...", "outputs": [...]}], "nbformat": 4, ...}
    ->  [Answer("normalization/rms_norm", 1, b"# cloze: normalization/rms_norm\\nimport torch\\n...")]

A cell is an answer by its line `# cloze: ID`, which a running kernel sees as well, or by its metadata, which stays when somebody
deletes the line. Where the two differ the line counts: it is what the learner reads. Nothing else of a notebook matters.
"""

import json
import re
from typing import Any

import msgspec
from msgspec import Struct

from clozekit.report import Problem
from clozekit.submission import LIMIT, NOTEBOOK_LIMIT, Unreadable, Upload

ID = r"\w{1,80}/\w{1,80}"
MARK = re.compile(rf"^# cloze: ({ID})[ \t\r]*$", re.M)
FORMATS = (3, 4)  # the versions of the format that have cells of this kind; 4 came in 2015


class Answer(Struct, frozen=True):
    """The source of one cell. `cell` counts from 1, as a reader would, text and all."""

    exercise: str
    cell: int
    source: bytes

    def upload(self, notebook: str) -> Upload:
        """As a file of its own; `notebook` is the name of the whole."""
        return Upload(f"{notebook}, cell {self.cell}", self.source, str(self.cell))


class Cell(Struct):
    """What counts of a cell. In format 3 the source is called input."""

    cell_type: str
    source: str | list[str] = ""
    input: str | list[str] = ""
    metadata: dict[str, Any] = {}


class Sheet(Struct):
    """A worksheet of format 3."""

    cells: list[Cell] = []


class Notebook(Struct):
    """What counts of a notebook. In format 3 cells lie in worksheets."""

    nbformat: int
    cells: list[Cell] = []
    worksheets: list[Sheet] = []


def answers(raw: bytes) -> list[Answer]:
    """Every answer in a notebook, in order.

    Raises:
        Unreadable: no notebook, or of a format that we do not know; answers that are too large, or several to one exercise.
    """
    if len(raw) > NOTEBOOK_LIMIT:
        raise Unreadable(Problem("notebook-large", {"limit": str(NOTEBOOK_LIMIT >> 20)}))
    found: dict[str, Answer] = {}
    for number, cell in enumerate(_cells(raw), 1):
        source = "".join(cell.source or cell.input)
        if cell.cell_type != "code" or not (exercise := _exercise(source, cell.metadata)):
            continue
        if first := found.get(exercise):
            places = {"id": exercise, "first": str(first.cell), "second": str(number)}
            raise Unreadable(Problem("notebook-twice", places))
        found[exercise] = Answer(exercise, number, source.encode("utf-8", "surrogatepass"))
    if sum(len(answer.source) for answer in found.values()) > LIMIT:
        raise Unreadable(Problem("notebook-answers", {"limit": str(LIMIT)}))
    return list(found.values())


def answer_to(exercise: str, answers: list[Answer]) -> Answer:
    """The answer to one exercise.

    Raises:
        Unreadable: there is none.
    """
    for answer in answers:
        if answer.exercise == exercise:
            return answer
    raise Unreadable(Problem("notebook-without", {"id": exercise}))


def _cells(raw: bytes) -> list[Cell]:
    try:
        notebook = msgspec.convert(json.loads(raw.decode("utf-8-sig")), Notebook)
    except RecursionError:
        raise Unreadable(Problem("notebook-invalid", {"reason": "RecursionError"})) from None
    except ValueError as error:  # not UTF-8, not JSON, or JSON of something else
        raise Unreadable(Problem("notebook-invalid", {"reason": str(error)[:200]})) from None
    if notebook.nbformat not in FORMATS:
        raise Unreadable(Problem("notebook-format", {"format": str(notebook.nbformat)[:20]}))
    return notebook.cells + [cell for sheet in notebook.worksheets for cell in sheet.cells]


def _exercise(source: str, metadata: dict[str, Any]) -> str:
    """The exercise that a cell answers; "" if it is no answer."""
    if mark := MARK.search(source):
        return mark[1]
    match metadata.get("cloze"):
        case {"role": "answer", "exercise": str(id)} if re.fullmatch(ID, id):
            return id
    return ""
