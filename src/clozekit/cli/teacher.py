"""Commands for a teacher: grade."""

import contextlib
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clozekit import phrases
from clozekit.catalog import open_catalog
from clozekit.cli.common import content_option, language, language_option, need_gpu
from clozekit.cli.gradebook import store_option
from clozekit.describe import clean
from clozekit.errors import CannotCheck, ClozeError
from clozekit.exports import REPORTS, export
from clozekit.files import put
from clozekit.report import EXIT_STATUS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from clozekit.catalog import Catalog
    from clozekit.classroom.executors import Executor
    from clozekit.classroom.judging import Judging
    from clozekit.classroom.store import Store


class Shard(click.ParamType):
    """2/3 -> (2, 3)"""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        index, _, count = value.partition("/")
        if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
            self.fail(f"{value} is no part of a class; the parts of three are 1/3, 2/3 and 3/3", param, ctx)
        return int(index), int(count)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where results go.")
@click.option(
    "--workers", type=click.IntRange(1, 512), help="Submissions at a time; default, and at most, one a processor."
)
@click.option("--trust-submissions", is_flag=True, help="Grade even where this machine cannot confine them.")
@click.option(
    "--seed",
    type=int,
    envvar="CLOZE_SEED",
    help="What inputs are drawn from; also CLOZE_SEED; default: a secret one, kept in the store.",
)
@store_option
@click.option(
    "--shard", metavar="I/N", type=Shard(), help="Grade only the I-th part of N, for machines that share a class."
)
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Judge here, or on every node of the Ray cluster of RAY_ADDRESS.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where answers are computed; kernels there as well, after the processor.",
)
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
@click.option("--format", "forms", multiple=True, type=click.Choice(list(REPORTS)), help="Write this to OUT as well.")
@language_option
@content_option
def grade(
    directory: Path,
    out: Path,
    workers: int | None,
    trust_submissions: bool,
    seed: int | None,
    store: str | None,
    shard: tuple[int, int] | None,
    executor: str,
    device: str,
    reveal: Any,
    layout: str,
    table: Path | None,
    forms: tuple[str, ...],
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Grade the files of a class into OUT. The exit status is 0 all graded, 3 not all.

    Of DIRECTORY/STUDENT/TRACK/NAME.py, or .ipynb, it makes OUT/results.jsonl and OUT/grades.csv.

    DIRECTORY may be an archive, or what GitHub Classroom, Gradescope, Moodle or nbgrader hand over: see docs/layouts.md.

    Run it again after a crash, or when new files have come: what is graded already is not graded twice. `cloze gradebook OUT`
    shows what students get.
    """
    from clozekit.classroom import databases, layouts, outputs, roster, running, trees
    from clozekit.classroom.judging import Judging
    from clozekit.classroom.store import Store
    from clozekit.engine import Engine

    if forms and reveal == "all":
        raise ClozeError("--format writes what students get to see; leave out --reveal all")
    if shard and seed is None and not store:
        raise ClozeError(
            "every shard has to ask the same questions: give all of them one --seed, CLOZE_SEED or --store postgresql+psycopg://…"
        )
    catalog, chosen = open_catalog(content), language(lang, None)
    if device == "cuda" and executor == "local":
        need_gpu()
    order = [exercise.id for exercise in catalog]
    students = roster.read(table, order) if table else None
    url = databases.parsed(store) if store else databases.beside(out)
    with contextlib.ExitStack() as held:
        tree = held.enter_context(trees.opened(directory, out))
        found = layouts.find(tree, order, layout, students)
        for id in {each.exercise for each in found.handed} & {*order}:
            if (pack := catalog[id].pack) is not None:
                raise pack.no_answers(id)
        if found.layout != "plain":
            click.echo(f"read as {found.layout}: {len({each.student for each in found.handed})} students", err=True)
        held.enter_context(databases.alone(url))
        held.enter_context(outputs.alone(out))
        kept = held.enter_context(Store(url))
        outputs.take_over(out, kept)
        mine = running.shard(found.handed, *shard) if shard else found.handed
        run_seed = _seed(kept, seed, out)
        with Engine(run_seed) as engine:
            if engine.tier() == "C" and not trust_submissions:
                raise CannotCheck(phrases.say(chosen, "tier-C-refused"))
            kept.used(run_seed)
            judging = Judging(engine, catalog, chosen, reveal, None if device == "cpu" else device)
            run = running.ClassRun(judging, kept)
            verdicts: Counter[str] = Counter()
            try:
                with _executor(executor, judging, catalog, workers) as place:
                    run.run(mine, place, partial(_progress, verdicts, len(mine), chosen))
            except KeyboardInterrupt:
                outputs.write(out, kept, order)
                raise
            for complaint in judging.broken.values():
                click.echo(f"cloze: {complaint}", err=True)
        kept.drop_undecided(found.handed)
        outputs.write(out, kept, order)
        for form in forms:
            put(out / REPORTS[form], export(form, kept.lines(), chosen).encode())
    counts = [f"{phrases.say(chosen, verdict.replace(' ', '-'))} {verdicts[verdict]}" for verdict in EXIT_STATUS]
    click.echo(phrases.say(chosen, "graded", files=len(mine), counts=", ".join(counts), out=out))
    sys.exit(EXIT_STATUS["could not check"] if verdicts["could not check"] else 0)


def _seed(kept: "Store", given: int | None, out: Path) -> int:
    """The seed of this run; said, if it is another one than before.

    Raises:
        ClozeError: one was given before, and is not now.
    """
    if given is None:
        own = kept.seed()
        if kept.used_another(own):
            raise ClozeError(
                f"{out} was graded with a seed that was given: give it again (--seed, or CLOZE_SEED), or all would be asked anew"
            )
        return own
    if kept.used_another(given):
        click.echo(f"cloze: {out} was graded with another seed before; every file is graded again", err=True)
    return given


def _executor(
    name: str, judging: "Judging", catalog: "Catalog", workers: int | None
) -> "AbstractContextManager[Executor]":
    """Where jobs are judged."""
    from clozekit.classroom.executors import local

    if name == "local":
        return local(judging, 1 if judging.device else min(workers or judging.free.qsize(), judging.free.qsize()))
    try:
        from clozekit.classroom.on_ray import on_ray
    except ImportError as error:
        raise ClozeError(f"Ray cannot be loaded: {error}; install it: pip install 'clozekit[ray]'") from None
    return on_ray(judging, catalog.roots, lambda said: click.echo(f"cloze: {said}", err=True))


def _progress(verdicts: Counter[str], total: int, language: str, line: dict[str, Any]) -> None:
    """One line on standard error for each file that is decided, which is counted."""
    verdicts[line["verdict"]] += 1
    verdict = phrases.say(language, line["verdict"].replace(" ", "-"))
    name = clean(f"{line['student']}/{line['file']}".strip("/"))
    why = "" if line["verdict"] != "could not check" else f"  {line.get('message', '')}".partition("\n")[0]
    text = f"{verdicts.total()}/{total}  {verdict}  {name}{why}"
    click.echo(" ".join(text.split("\n")), err=True)  # a file may be called "x\n::error::", which CI would obey


COMMANDS = [grade]
