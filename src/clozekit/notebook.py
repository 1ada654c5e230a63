"""For the cells of a notebook: has the answer judged that the kernel has run, and shows the report.

    from clozekit.notebook import check
    check("normalization/rms_norm")

The answer is the cell with the line `# cloze: normalization/rms_norm`, as it was when it was run last: a kernel does not know the
file that it works for, nor what is typed but not run. `cloze check FILE.ipynb` grades the same cell of the file as it is saved.
Exercises of your own are found by CLOZE_CONTENT.
"""

from __future__ import annotations

import atexit
import io
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.text import Text

from clozekit.catalog import open_catalog
from clozekit.cells import MARK
from clozekit.cli.common import language, unwritable_is_told
from clozekit.engine import Engine
from clozekit.errors import CannotCheck, ClozeError
from clozekit.exercise import Exercise
from clozekit.phrases import say
from clozekit.render import as_text
from clozekit.report import Problem, Report
from clozekit.submission import Upload
from clozekit.workspace import Workspace

PAGE = '<pre style="white-space: pre-wrap; line-height: 1.4">{code}</pre>'


class Shown:
    """What a cell shows: in colour where the reader's program shows HTML, else plain."""

    def __init__(self, text: Text):
        self.text = text

    def __repr__(self) -> str:
        return self.text.plain

    def _repr_html_(self) -> str:
        console = Console(file=io.StringIO(), record=True, highlight=False, force_jupyter=False, width=200)
        console.print(self.text, soft_wrap=True, end="")
        return console.export_html(code_format=PAGE, inline_styles=True)


def check(exercise: str, lang: str | None = None) -> Shown:
    """The report on the answer to an exercise. Nothing raises: what is wrong is shown.

    lang: "en" or "zh"; by default the workspace's, else your locale's.
    """
    try:
        workspace = Workspace.around(Path.cwd())
        chosen = language(lang, workspace)
    except ClozeError as error:
        return Shown(Text(error.text(language(lang, None))))
    try:
        return Shown(_report(exercise, workspace, chosen))
    except ClozeError as error:
        return Shown(Text(error.text(chosen)))
    except (CannotCheck, OSError) as error:
        return Shown(Text(str(error)))


def _report(id: str, workspace: Workspace | None, chosen: str) -> Text:
    """What `cloze check` would say, and remember, of the answer."""
    exercise = open_catalog()[id]
    report = _grade(exercise, _last_run(exercise.id))
    if workspace:
        with unwritable_is_told(chosen):
            workspace.record(report)
    text = as_text(report, exercise, chosen, "all")
    if report.tier == "C":
        text.append(f"\n{say(chosen, 'tier-C')}", "dim")
    return text


def _last_run(id: str) -> Upload:
    """The cell that answers an exercise, as the kernel ran it last.

    Raises:
        ClozeError: it ran none, or this is no kernel.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        raise ClozeError(Problem("notebook-kernel")) from None
    if not (shell := get_ipython()):
        raise ClozeError(Problem("notebook-kernel"))
    ran = shell.history_manager.input_hist_raw
    for number in reversed(range(len(ran))):
        if (mark := MARK.search(ran[number])) and mark[1] == id:
            source = ran[number].encode("utf-8", "surrogatepass")
            return Upload(f"cell [{number}]", source, f"[{number}]")
    raise ClozeError(Problem("notebook-unrun", {"mark": f"# cloze: {id}"}))


def _grade(exercise: Exercise, upload: Upload) -> Report:
    """By our own judge, which the next check finds warm."""
    try:
        return _engine().grade(exercise, upload)
    except BaseException:  # such as an interrupt: what it was about to say must not be taken for an answer to the next
        _engine().close()
        _engine.cache_clear()
        raise


@cache
def _engine() -> Engine:
    """The judge of this kernel, until the kernel ends."""
    engine = Engine()
    atexit.register(engine.close)
    return engine
