"""Commands for a teacher: grade."""

import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import click

from clozekit import phrases
from clozekit.catalog import open_catalog
from clozekit.cli.common import content_option, language, language_option
from clozekit.describe import clean
from clozekit.errors import CannotCheck
from clozekit.report import EXIT_STATUS


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where results go.")
@click.option(
    "--workers", type=click.IntRange(1, 512), help="Submissions at a time; default, and at most, one a processor."
)
@click.option("--trust-submissions", is_flag=True, help="Grade even where this machine cannot confine them.")
@click.option("--seed", type=int, help="What inputs are drawn from; default: a secret one, kept in OUT/.seed.")
@click.option(
    "--reveal",
    type=click.Choice(["all", "visible"]),
    default="visible",
    show_default=True,
    help="What is told of hidden cases.",
)
@click.option(
    "--layout",
    type=click.Choice(["auto", "plain", "github", "gradescope", "moodle", "nbgrader"]),
    default="auto",
    show_default=True,
    help="How DIRECTORY is arranged.",
)
@click.option(
    "--map",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV: account,student or path,student; maybe file,exercise.",
)
@language_option
@content_option
def grade(
    directory: Path,
    out: Path,
    workers: int | None,
    trust_submissions: bool,
    seed: int | None,
    reveal: Any,
    layout: str,
    table: Path | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Grade DIRECTORY/STUDENT/TRACK/NAME.py, or .ipynb, into OUT/results.jsonl and OUT/grades.csv: 0 all graded, 3 not all.

    DIRECTORY may be an archive, or what GitHub Classroom, Gradescope, Moodle or nbgrader hand over: see docs/layouts.md.

    Run it again after a crash, or when new files have come: what is graded already is not graded twice.
    """
    from clozekit.classroom import layouts, roster, running, trees
    from clozekit.engine import Engine

    catalog, chosen = open_catalog(content), language(lang, None)
    order = [exercise.id for exercise in catalog]
    students = roster.read(table, order) if table else None
    with running.alone(out), trees.opened(directory, out) as tree:
        found = layouts.find(tree, order, layout, students)
        files = found.handed
        if found.layout != "plain":
            click.echo(f"read as {found.layout}: {len({each.student for each in files})} students", err=True)
        with Engine(running.seed_of(out) if seed is None else seed) as engine:
            if engine.tier() == "C" and not trust_submissions:
                raise CannotCheck(phrases.say(chosen, "tier-C-refused"))
            ledger = running.Ledger(out / "results.jsonl")
            run = running.ClassRun(engine, catalog, ledger, chosen, reveal)
            tell = partial(_progress, Counter(total=len(files)), chosen)
            lines = run.run(files, workers or len(os.sched_getaffinity(0)), tell)
            for complaint in run.broken.values():
                click.echo(f"cloze: {complaint}", err=True)
        running.write_grades(out / "grades.csv", ledger.close(lines), order)
    verdicts = Counter(line["verdict"] for line in lines)
    counts = [f"{phrases.say(chosen, verdict.replace(' ', '-'))} {verdicts[verdict]}" for verdict in EXIT_STATUS]
    click.echo(phrases.say(chosen, "graded", files=len(lines), counts=", ".join(counts), out=out))
    sys.exit(EXIT_STATUS["could not check"] if verdicts["could not check"] else 0)


def _progress(count: Counter, language: str, line: dict[str, Any]) -> None:
    """One line on standard error for each file that is decided."""
    count["done"] += 1
    verdict = phrases.say(language, line["verdict"].replace(" ", "-"))
    name = clean(f"{line['student']}/{line['file']}".strip("/"))
    why = "" if line["verdict"] != "could not check" else f"  {line.get('message', '')}".partition("\n")[0]
    click.echo(f"{count['done']}/{count['total']}  {verdict}  {name}{why}", err=True)


COMMANDS = [grade]
