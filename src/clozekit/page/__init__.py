"""Reports, progress and classes as pages that need no network and no file beside them, and no script but one that sorts.

report_fragment(report, exercise, "en", "all")      one report, styles included: for a notebook
report_page(report, exercise, "zh", "visible")      the same as a page of its own
progress_page(catalog, workspace, "en")             a whole workspace: tracks, history, last reports
class_page(lines, catalog, "en")                    a class: who has what, mistakes, hardest cases, costs
alike_page(found, left_out, catalog, "en")          answers of a class that are alike, side by side

Templates have the words and the markup, the style sheets beside them the looks. Every text that they print is cleaned and escaped
(`environment`), so that what a learner's code says stays text.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from clozekit.catalog import Catalog
from clozekit.classroom.alike import Found, LeftOut
from clozekit.classroom.handed import Line
from clozekit.describe import clean
from clozekit.exercise import Exercise
from clozekit.page import drawings
from clozekit.page.alike import alike_view
from clozekit.page.class_report import Grade, class_view
from clozekit.page.progress import progress_view
from clozekit.page.report import report_view
from clozekit.phrases import say
from clozekit.render import Reveal
from clozekit.report import Report
from clozekit.workspace import Workspace

TEMPLATES = Path(__file__).with_name("templates")


def report_fragment(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool = False) -> str:
    """One report as an element with its own styles."""
    return _render("fragment.html", language, report=report_view(report, exercise, language, reveal, interview))


def report_page(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool = False) -> str:
    """One report as a page."""
    title, view = exercise.words(language).title, report_view(report, exercise, language, reveal, interview)
    return _render("report_page.html", language, title=title, report=view)


def progress_page(catalog: Catalog, workspace: Workspace, language: str) -> str:
    """What a workspace remembers, as a page. Hidden cases are told, as `cloze check` tells them at home."""
    return _render("progress_page.html", language, page=progress_view(catalog, workspace, language))


def class_page(
    lines: list[Line], catalog: Catalog, language: str, *, grades: Iterable[Grade] = (), anonymous: bool = False
) -> str:
    """A class as a page; in place of the best line of each student the grades of a gradebook, if given.

    Whatever a name might smuggle in does not run: the page allows one script, by its digest.
    """
    view = class_view(lines, grades, catalog, language, anonymous)
    script = (TEMPLATES / "sort.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    facts = {"page": view, "anonymous": anonymous, "script": Markup(script), "digest": digest}
    return _render("class_page.html", language, **facts)


def alike_page(found: list[Found], left_out: list[LeftOut], catalog: Catalog, language: str) -> str:
    """Which answers of a class are alike, as a page."""
    return _render("alike_page.html", language, page=alike_view(found, left_out, catalog, language))


def _render(template: str, language: str, **context: object) -> str:
    return environment(language).get_template(template).render(context)


@cache
def environment(language: str) -> Environment:
    """The templates in one language. Markup is what they themselves hold; all else is text."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_cleaned,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"say": partial(say, language), "lang": {"zh": "zh-CN"}.get(language, language), "draw": drawings}
    made.globals["styles"] = {path.name: Markup(path.read_text("utf-8")) for path in TEMPLATES.glob("*.css")}
    made.filters |= {"code": _code, "figure": "{:g}".format}
    return made


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _code(text: str) -> Markup:
    """What stands in backticks is code."""
    parts = re.split(r"`([^`\n]+)`", clean(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )
