"""Notebooks to work in: for each exercise its statement, a cell for the answer, and a cell that has it judged.

    # RMSNorm                                       (Markdown)
    Scale each vector so that its root mean square is 1 ...

    # cloze: normalization/rms_norm                 (code, tagged)
    def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor: ...

    from clozekit.notebook import check             (code)
    check("normalization/rms_norm", "en")

Everything comes from the exercises: what a learner has typed into an earlier notebook has no way into a new one.
"""

import hashlib
import textwrap
from collections.abc import Iterable, Iterator

import nbformat
from nbformat import NotebookNode, v4

from clozekit import __version__, statements
from clozekit.exercise import Exercise
from clozekit.phrases import say

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
INSTALL = """\
{says}
WHEEL = "clozekit-{version}-py3-none-any.whl"
try:
    import clozekit
except ImportError:
    %pip install --quiet "{{WHEEL}}"
    import clozekit"""
CHECK = """\
from clozekit.notebook import check

check("{id}", "{language}")"""


def notebook(exercises: Iterable[Exercise], level: str, language: str) -> str:
    """The text of a file, the same for the same exercises, level and language."""
    says = textwrap.indent(say(language, "notebook-install").strip(), "# ")
    cells = [_code("install", INSTALL.format(says=says, version=__version__))]
    for exercise in exercises:
        cells += _cells(exercise, level, language)
    return nbformat.writes(v4.new_notebook(cells=cells, metadata=KERNEL)) + "\n"


def _cells(exercise: Exercise, level: str, language: str) -> Iterator[NotebookNode]:
    words, mark = exercise.words(language), f"# cloze: {exercise.id}"
    text = (
        f"# {statements.prose(words.title)}",
        statements.as_markdown(words.statement),
        statements.prose(f"{say(language, 'source')}: {exercise.sheet.source}"),
        say(language, "notebook-how", mark=mark),
    )
    yield v4.new_markdown_cell("\n\n".join(text), id=_id(f"{exercise.id} statement"))
    code = exercise.starter(exercise.offered(level), language)
    yield _code(exercise.id, f"{mark}\n{code.removesuffix(chr(10))}", "answer")
    yield _code(exercise.id, CHECK.format(id=exercise.id, language=language), "check")


def _code(exercise: str, source: str, role: str = "") -> NotebookNode:
    metadata = {"cloze": {"exercise": exercise, "role": role}, "tags": [f"cloze-{role}"]} if role else {}
    return v4.new_code_cell(source, id=_id(f"{exercise} {role}"), metadata=metadata)


def _id(name: str) -> str:
    """The format allows 64 characters of a few kinds; names may have others."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]
