"""A command for a teacher: release."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clozekit.catalog import builtin_root, open_catalog
from clozekit.cli.common import content_option
from clozekit.errors import ClozeError
from clozekit.files import put

if TYPE_CHECKING:
    from clozekit.classroom.releasing import Released


@click.command()
@click.argument("pack", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--course",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A course.toml with title, exercises and level; default: all exercises of --content, guided.",
)
@click.option("--zip", "as_zip", is_flag=True, help="Also write PACK.zip.")
@content_option
def release(pack: Path, course: Path | None, as_zip: bool, content: tuple[Path, ...]) -> None:
    """Write PACK, what a class gets of a course. Starters, words, rules and visible cases; no solution, grader or hidden case.

    Before a file is written, all are searched for lines of answers, mistakes, references and hidden cases.
    """
    from clozekit.classroom import releasing, syllabus
    from clozekit.engine import Engine

    catalog = open_catalog(content)
    known = [exercise.id for exercise in catalog]
    chosen = syllabus.read(course, known) if course else syllabus.Syllabus()
    ids = chosen.chosen(known)
    if content and chosen.exercises == syllabus.Syllabus().exercises:  # those of the course, not all of the kit
        ids = [id for id in ids if catalog[id].root != builtin_root()]
    if not ids:
        raise ClozeError('no exercise is chosen; name some in course.toml: exercises = ["normalization/*"]')
    with Engine(releasing.SEED) as engine:
        files = releasing.compose(engine, catalog, chosen, ids, _released)
    releasing.write(pack, files)
    size = sum(map(len, files.values()))
    click.echo(f"{pack}: {len(ids)} exercises, {len(files)} files, {size / 1e6:.1f} MB; no secret was found in them.")
    if public := [id for id in ids if catalog[id].root == builtin_root()]:
        click.echo(f"{len(public)} of them are the kit's own: whoever has the kit has their solutions and graders.")
    if as_zip:
        target = pack.with_name(f"{pack.name}.zip")
        put(target, releasing.released_zip(files, pack.name))
        click.echo(str(target))


def _released(id: str, made: "Released") -> None:
    """One line on standard error for each exercise, and one for each test that is less than it was."""
    secrets = f"{len(made.secrets)} secrets looked for"
    click.echo(f"{id}: {made.visible} cases, without {made.hidden} hidden; {secrets}", err=True)
    for test in made.asserting:
        click.echo(f"{id}: {test} has an assert of its own, which a pack lacks; let `check` compare instead", err=True)


COMMANDS = [release]
