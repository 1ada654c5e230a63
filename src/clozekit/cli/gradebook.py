"""Commands for a teacher: gradebook, and what is below it."""

import contextlib
import difflib
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clozekit.catalog import Catalog, open_catalog
from clozekit.cli.common import Form, console, content_option, write
from clozekit.describe import clean
from clozekit.errors import ClozeError, NotFound
from clozekit.exports import GRADEBOOKS, export

if TYPE_CHECKING:
    from clozekit.classroom.gradebook import Grade, Total
    from clozekit.classroom.store import Store
    from clozekit.classroom.syllabus import Syllabus

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
LEGEND = {
    "(-": "(-1): taken off for lateness",
    "*": "*: set by a teacher; `cloze gradebook history STUDENT` says why",
    "?": "?: could not be checked",
}


class ShowsByDefault(click.Group):
    """`cloze gradebook OUT` is `cloze gradebook show OUT`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "--help"
        return super().parse_args(ctx, args if first in (*self.commands, "-h", "--help") else ["show", *args])


def store_option(command: Callable) -> Callable:
    return click.option(
        "--store",
        envvar="CLOZE_STORE",
        metavar="URL",
        help="Where results are kept: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; also CLOZE_STORE; "
        "default: OUT/store.db.",
    )(command)


def out_option(command: Callable) -> Callable:
    return click.option("--out", type=FOLDER, help="The directory that `cloze grade --out` wrote.")(
        store_option(command)
    )


def course_option(command: Callable) -> Callable:
    return click.option("--course", type=FILE, help="course.toml: deadlines, and which attempts count.")(command)


@contextlib.contextmanager
def opened(out: Path | None, url: str | None, changes: bool = False) -> Iterator["Store"]:
    """The store that a command is about. changes: nobody may grade into it meanwhile.

    Raises:
        ClozeError: nobody said which, it does not exist, or somebody writes to it.
    """
    from clozekit.classroom import databases, outputs
    from clozekit.classroom.store import Store

    if url:
        address = databases.parsed(url)
    elif out:
        address = databases.beside(out)
    else:
        raise ClozeError("whose results? Give the directory of `cloze grade --out`, or --store URL")
    missing = not databases.exists(address)
    if missing and not (out and (out / "results.jsonl").exists()):
        raise NotFound(f"{address.database} does not exist; `cloze grade DIRECTORY --out {out or 'OUT'}` makes it")
    with databases.alone(address) if changes or missing else contextlib.nullcontext(), Store(address) as store:
        if out:
            outputs.take_over(out, store)
        yield store


@contextlib.contextmanager
def changed(out: Path | None, url: str | None, catalog: Catalog) -> Iterator["Store"]:
    """The same, to change it; results.jsonl and grades.csv of OUT follow."""
    from clozekit.classroom import outputs

    with opened(out, url, changes=True) as store:
        yield store
        if out:
            outputs.write(out, store, [exercise.id for exercise in catalog])


@click.group(cls=ShowsByDefault)
def gradebook() -> None:
    """Show and correct what students get.

    `cloze gradebook OUT`, with the deadlines of --course; corrections, history, merging, forgetting.
    """


@gradebook.command()
@click.argument("out", required=False, type=FOLDER)
@store_option
@course_option
@click.option("--csv", metavar="FILE", help="Write the table as CSV instead; - for standard output.")
@click.option(
    "--format",
    "forms",
    metavar="NAME[=PATH]",
    multiple=True,
    type=Form(GRADEBOOKS),
    help=f"Write what a platform imports instead: {' or '.join(GRADEBOOKS)}.",
)
@content_option
def show(
    out: Path | None,
    store: str | None,
    course: Path | None,
    csv: str | None,
    forms: tuple[tuple[str, str], ...],
    content: tuple[Path, ...],
) -> None:
    """A row a student, a column an exercise; what is late, corrected or could not be checked is marked."""
    from clozekit.classroom import gradebook, outputs

    order = [exercise.id for exercise in open_catalog(content)]
    syllabus = _syllabus(course, order)
    with opened(out, store) as kept:
        found, students = gradebook.grades(kept.lines(), kept.overrides(), syllabus), kept.students()
    order = gradebook.in_order(found, order)
    course_ids = syllabus.chosen(order)
    found = [grade for grade in found if grade.exercise in course_ids]
    totals = gradebook.totals(found, syllabus, order, students)
    for id, files in gradebook.untimed(found, syllabus).items():
        click.echo(
            f"cloze: of {files} answers to {id} nobody knows when they were handed in; they do not count as late. "
            "docs/layouts.md says what tells the time",
            err=True,
        )
    if csv:
        write(csv, outputs.as_csv(found, syllabus, order, students, totals))
    for form, path in forms:
        write(path, export(form, found, "en"))
    if not csv and not forms:
        _print(found, totals, syllabus.chosen(order))


def _syllabus(course: Path | None, order: list[str]) -> "Syllabus":
    from clozekit.classroom import syllabus

    return syllabus.read(course, order) if course else syllabus.Syllabus()


def _print(found: list["Grade"], totals: list["Total"], order: list[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    grades = {(grade.student, grade.exercise): grade for grade in found}
    columns = [id for id in order if id in {exercise for _, exercise in grades}]
    table = Table("student", *columns, "total", box=None, pad_edge=False, header_style="bold")
    cells = []
    for total in totals:
        row = [_cell(grades.get((total.student, id)), id in total.dropped) for id in columns]
        row.append(f"{total.points:g}/{total.max_points:g}{'' if total.final else '?'}")
        table.add_row(Text(clean(total.student)), *map(Text, row))
        cells += row
    out = console()
    out.print(table)
    for mark, meaning in LEGEND.items():
        if any(mark in cell for cell in cells):
            out.print(Text(meaning, "dim"))
    if any(total.dropped for total in totals):
        out.print(Text("[ ]: left out of the sum", "dim"))


def _cell(grade: "Grade | None", dropped: bool) -> str:
    from clozekit.classroom.gradebook import is_final

    text = ""
    if grade:
        text = f"{grade.points:g}" if is_final(grade) else "?"
        text += f" (-{grade.taken_off:g})" if grade.taken_off else ""
        text += "*" if grade.reason else ""
    return f"[{text}]" if dropped else text


@gradebook.command(name="set")
@click.argument("student")
@click.argument("exercise")
@click.argument("points", type=float)
@click.option("--reason", required=True, help="Why; the history keeps it.")
@out_option
@content_option
def set_(
    student: str,
    exercise: str,
    points: float,
    reason: str,
    out: Path | None,
    store: str | None,
    content: tuple[Path, ...],
) -> None:
    """Give a student POINTS for an exercise, whatever was graded and however late it came."""
    from clozekit.classroom.decided import is_decided

    if not (math.isfinite(points) and points >= 0):
        raise ClozeError(f"{points} is no number of points")
    catalog = open_catalog(content)
    with changed(out, store, catalog) as kept:
        graded = {line["exercise"] for line in kept.lines() if is_decided(line)}
        id = exercise if exercise in graded else catalog[exercise].id
        kept.override({(_known(student, kept), id): points}, _reason(reason))
    click.echo(f"{clean(student)}  {exercise}  {points:g}")


@gradebook.command()
@click.argument("student")
@click.argument("exercise")
@click.option("--reason", default="what was graded counts again", show_default=True, help="Why; the history keeps it.")
@out_option
@content_option
def unset(
    student: str, exercise: str, reason: str, out: Path | None, store: str | None, content: tuple[Path, ...]
) -> None:
    """Take back what was set: what was graded counts again."""
    catalog = open_catalog(content)
    with changed(out, store, catalog) as kept:
        if (student, exercise) not in kept.overrides():
            raise NotFound(
                f"nothing is set for {student} and {exercise}; `cloze gradebook history {student}` shows what was"
            )
        kept.override({(student, exercise): None}, _reason(reason))


@gradebook.command(name="import")
@click.argument("file", type=FILE)
@click.option("--reason", required=True, help="Why; the history keeps it.")
@course_option
@out_option
@content_option
def import_(
    file: Path,
    reason: str,
    course: Path | None,
    out: Path | None,
    store: str | None,
    content: tuple[Path, ...],
) -> None:
    """Take points that were changed in a copy of the table (--csv, or grades.csv) as if each had been `set`."""
    from clozekit.classroom import corrections, gradebook

    catalog = open_catalog(content)
    order = [exercise.id for exercise in catalog]
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from None
    if not course and corrections.has_sums(raw):
        raise ClozeError(
            f"{file} has a column `{corrections.DERIVED}`, as `cloze gradebook --csv` writes it: give the --course that it was "
            "written with, or what lateness took off would be taken for a correction; or delete that column"
        )
    with changed(out, store, catalog) as kept:
        found = gradebook.grades(kept.lines(), kept.overrides(), _syllabus(course, order))
        given = corrections.read(raw, file.name, found, kept.students(), gradebook.in_order(found, order))
        kept.override({**given}, _reason(reason))
    for (student, exercise), points in sorted(given.items()):
        click.echo(f"{clean(student)}  {exercise}  {points:g}")
    click.echo(f"{len(given)} changed")


@gradebook.command()
@click.argument("student")
@click.argument("exercise", required=False)
@out_option
def history(student: str, exercise: str | None, out: Path | None, store: str | None) -> None:
    """All versions of a student's files that were seen, and all that was set, with their times in UTC."""
    from rich.table import Table
    from rich.text import Text

    with opened(out, store) as kept:
        events = [each for each in kept.history(_known(student, kept)) if exercise in (None, each.exercise)]
    table = Table("seen or set", "exercise", "what", "verdict", "points", "digest, or reason", box=None, pad_edge=False)
    for event in events:
        points = "" if event.points is None else f"{event.points:g}"
        row = (event.at[:19].replace("T", " "), event.exercise, event.what, event.verdict, points, event.detail)
        table.add_row(*(Text(clean(cell)) for cell in row))
    console().print(table)


@gradebook.command()
@click.argument("student")
@out_option
@content_option
def forget(student: str, out: Path | None, store: str | None, content: tuple[Path, ...]) -> None:
    """Delete all that is known of a student: attempts, corrections, and results that nobody else shares."""
    with changed(out, store, open_catalog(content)) as kept:
        attempts, overrides, results = kept.forget(_known(student, kept))
        server = kept.url.get_backend_name() == "postgresql"
    click.echo(f"deleted: {attempts} attempts, {overrides} corrections, {results} results")
    still = [
        "what was handed in, in the directory that you grade",
        "results.jsonl, grades.csv and reports that you copied, exported or handed out",
        "copies and backups of the store",
        *(
            ["results.jsonl and grades.csv of every --out directory (give --out to have them rewritten)"]
            if not out
            else []
        ),
        *(["the server's write-ahead log and archives, until it recycles them"] if server else []),
    ]
    click.echo("what may still hold their data, and is yours to delete:\n  " + "\n  ".join(still))


@gradebook.command()
@click.argument("outs", nargs=-1, required=True, metavar="OUT...", type=FOLDER)
@out_option
@content_option
def merge(outs: tuple[Path, ...], out: Path | None, store: str | None, content: tuple[Path, ...]) -> None:
    """Bring the directories of several shards together in --out: the same as if one machine had graded all."""
    from clozekit.classroom import databases, outputs
    from clozekit.classroom.store import Store

    if not out:
        raise ClozeError("merge into what? Give --out DIR")
    with contextlib.ExitStack() as held:
        parts = [held.enter_context(opened(each, None)) for each in outs]
        for part in parts:
            parts[0].need_same_seed(part)  # before anything is written
        out.mkdir(parents=True, exist_ok=True)
        address = databases.parsed(store) if store else databases.beside(out)
        held.enter_context(databases.alone(address))
        kept = held.enter_context(Store(address))
        outputs.take_over(out, kept)
        for part in parts:
            kept.take_in(part)
        outputs.write(out, kept, [exercise.id for exercise in open_catalog(content)])
    click.echo(f"{out} has the results of {len(outs)} directories")


def _known(student: str, store: "Store") -> str:
    students = store.students()
    if student not in students:
        near = difflib.get_close_matches(student, students, 1)
        hint = f"did you mean `{near[0]}`?" if near else "`cloze gradebook OUT` shows who is"
        raise NotFound(f"nobody is called `{student}` here; {hint}")
    return student


def _reason(text: str) -> str:
    """As text; bytes that a terminal sent and that are none as \\xNN.

    Raises:
        ClozeError: there is none.
    """
    if not text.strip():
        raise ClozeError("--reason is empty; say why, the history keeps it")
    return os.fsencode(text).decode("utf-8", "backslashreplace")


COMMANDS: list[Any] = [gradebook]
