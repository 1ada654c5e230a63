"""For the cells of a notebook: has the answer judged that the kernel has run, and shows the report.

    from clozekit.notebook import check
    check("normalization/rms_norm")

The answer is the cell with the line `# cloze: normalization/rms_norm`, as it was when it was run last: a kernel does not know the
file that it works for, nor what is typed but not run. `cloze check FILE.ipynb` grades the same cell of the file as it is saved.
Exercises of your own are found by CLOZE_CONTENT, or by the workspace if that was made with them.
"""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path

from clozekit import interviewing, warm
from clozekit.cells import MARK
from clozekit.cli.common import catalog_of, language, unwritable_is_told
from clozekit.describe import describe
from clozekit.engine import Engine
from clozekit.errors import CannotCheck, ClozeError, of_the_system
from clozekit.exercise import Exercise
from clozekit.page import report_fragment
from clozekit.phrases import say
from clozekit.render import as_text
from clozekit.report import Problem, Report
from clozekit.submission import Upload
from clozekit.workspace import Workspace


class Shown:
    """What a cell shows: a page where the reader's program shows HTML, else text."""

    def __init__(self, text: str, html: str = ""):
        self.text, self.html = text, html

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str | None:
        return self.html or None


def check(exercise: str, lang: str | None = None) -> Shown:
    """The report on the answer to an exercise. Nothing raises: what is wrong is shown.

    lang: "en" or "zh"; by default the workspace's, else your locale's.
    """
    try:
        workspace = Workspace.around(Path.cwd())
        chosen = language(lang, workspace)
    except ClozeError as error:
        return Shown(error.text(language(lang, None)))
    try:
        return _report(exercise, workspace, chosen)
    except ClozeError as error:
        return Shown(error.text(chosen))
    except CannotCheck as error:
        return Shown(error.text(chosen))
    except OSError as error:
        return Shown(describe(of_the_system(error), chosen))


def _report(id: str, workspace: Workspace | None, chosen: str) -> Shown:
    """What `cloze check` would say, and remember, of the answer. A running `cloze watch` is asked first: it is warm."""
    exercise = catalog_of(workspace)[id]
    upload = _last_run(exercise.id)
    report = (warm.grade(workspace, exercise, upload) if workspace else None) or _grade(exercise, upload)
    report.cell = upload.cell
    if workspace:
        with unwritable_is_told(chosen):
            workspace.record(report)
    asked = interviewing.asks(workspace, id)
    text = as_text(report, exercise, chosen, "all", asked).plain
    html = report_fragment(report, exercise, chosen, "all", asked)
    if report.tier == "C":
        text += f"\n{say(chosen, 'tier-C')}"
        html += f"<p>{say(chosen, 'tier-C')}</p>"
    return Shown(text, html)


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
