"""Commands for a teacher that look at a whole class: `cloze class-report`, `cloze alike`."""

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clozekit import phrases
from clozekit.catalog import open_catalog
from clozekit.cells import answer_to
from clozekit.classroom.handed import Line
from clozekit.cli.common import content_option, language, language_option, write
from clozekit.describe import clean
from clozekit.errors import ClozeError, NotFound
from clozekit.submission import Upload

if TYPE_CHECKING:
    from clozekit.engine import Engine

RESULTS = "results.jsonl"
NEEDED = {"student", "file", "exercise", "verdict", "points", "max_points", "tests", "findings", "meters"}


@click.command("class-report")
@click.argument("results", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", "page", default="class.html", show_default=True, help="The page; - is standard output.")
@click.option("--anonymous", is_flag=True, help="Numbers in place of names, for showing it in class.")
@language_option
@content_option
def class_report(results: Path, page: str, anonymous: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """Make a page of what `cloze grade` wrote into OUT. Who has what, mistakes, hardest cases, costs.

    It needs no network and no file beside it. Nothing is graded again.
    """
    from clozekit.page import class_page

    lines, chosen = _lines(results / RESULTS), language(lang, None)
    write(page, class_page(lines, open_catalog(content), chosen, anonymous=anonymous))
    _tell(page, chosen)


def _lines(path: Path) -> list[Line]:
    """The reports that are written down so far; of several on a file the last.

    Raises:
        NotFound: there are none.
        ClozeError: a line is no report.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{path} does not exist; `cloze grade DIRECTORY --out {path.parent}` writes it") from None
    found: dict[tuple[str, str, str], Line] = {}
    for number, text in enumerate(raw[: raw.rfind(b"\n") + 1].splitlines(), 1):  # a run may be writing half a line
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not (isinstance(line, dict) and line.keys() >= NEEDED):
            raise ClozeError(
                f"{path}: line {number} is no report; delete it, and `cloze grade` will grade that file again"
            )
        found[line["student"], line["file"], line.get("attempt", "")] = line
    return list(found.values())


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--out", "page", default="alike.html", show_default=True, help="The page; - is standard output.")
@click.option("--json", "json_path", metavar="PATH", help="Write the pairs as JSON as well; - is standard output.")
@language_option
@content_option
def alike(directory: Path, page: str, json_path: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """Find answers that are alike beyond what exercises take. They are looked for among DIRECTORY/STUDENT/TRACK/NAME.py.

    DIRECTORY may be whatever `cloze grade` takes. Nothing is run and nobody accused: the page shows pairs side by side for you
    to look at.
    """
    from clozekit.classroom import alike as likeness
    from clozekit.classroom import layouts, trees
    from clozekit.page import alike_page

    catalog, chosen = open_catalog(content), language(lang, None)
    exercises = {exercise.id: exercise for exercise in catalog}
    with trees.opened(directory, directory / "out") as tree, _notebooks() as opened:
        files = [each for each in layouts.find(tree, exercises).handed if each.file]
        if not files:
            raise NotFound(f"{directory} holds no submission; give the directory that holds STUDENT/TRACK/NAME.py")
        answers, left_out = likeness.texts(files, opened)
    found = [
        likeness.compare(id, answers[id], likeness.common_knowledge(exercise))
        for id, exercise in exercises.items()
        if id in answers
    ]
    if json_path:
        write(json_path, json.dumps(likeness.as_json(found, left_out), ensure_ascii=False, indent=1) + "\n")
    write(page, alike_page(found, left_out, catalog, chosen))
    for each in found:
        for group in each.groups:
            click.echo(clean(f"{each.exercise}  {', '.join(group)}"), err=True)
    _tell(page, chosen)


@contextlib.contextmanager
def _notebooks() -> Iterator[Callable[[str, Upload], bytes]]:
    """Finds the answer to an exercise in a notebook: in a confined worker of a judge, started for the first one."""
    with contextlib.ExitStack() as stack:

        @cache
        def engine() -> "Engine":
            from clozekit.engine import Engine

            return stack.enter_context(Engine())

        yield lambda exercise, upload: answer_to(exercise, engine().open(upload.raw)).source


def _tell(page: str, language: str) -> None:
    if page != "-":
        click.echo(phrases.say(language, "report-written", path=page), err=True)


COMMANDS = [class_report, alike]
