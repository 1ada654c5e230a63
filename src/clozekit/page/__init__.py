"""Reports and progress as pages that need no network, no script and no file beside them.

report_fragment(report, exercise, "en", "all")      one report, styles included: for a notebook
report_page(report, exercise, "zh", "visible")      the same as a page of its own
progress_page(catalog, workspace, "en")             a whole workspace: tracks, history, last reports

Templates have the words and the markup, the style sheets beside them the looks. Every text that they print is cleaned and escaped
(`environment`), so that what a learner's code says stays text.
"""

import re
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from clozekit.catalog import Catalog
from clozekit.describe import clean
from clozekit.exercise import Exercise
from clozekit.page import drawings
from clozekit.page.progress import progress_view
from clozekit.page.report import report_view
from clozekit.phrases import say
from clozekit.render import Reveal
from clozekit.report import Report
from clozekit.workspace import Workspace

TEMPLATES = Path(__file__).with_name("templates")


def report_fragment(report: Report, exercise: Exercise, language: str, reveal: Reveal) -> str:
    """One report as an element with its own styles."""
    return _render("fragment.html", language, report=report_view(report, exercise, language, reveal))


def report_page(report: Report, exercise: Exercise, language: str, reveal: Reveal) -> str:
    """One report as a page."""
    title = exercise.words(language).title
    return _render("report_page.html", language, title=title, report=report_view(report, exercise, language, reveal))


def progress_page(catalog: Catalog, workspace: Workspace, language: str) -> str:
    """What a workspace remembers, as a page. Hidden cases are told, as `cloze check` tells them at home."""
    return _render("progress_page.html", language, page=progress_view(catalog, workspace, language))


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
