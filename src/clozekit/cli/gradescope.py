"""The command gradescope: an autograder to upload."""

from pathlib import Path
from typing import Literal

import click

from clozekit.catalog import open_catalog
from clozekit.cli.common import ExerciseId, content_option, language, language_option


@click.command()
@click.argument("path", metavar="OUT.zip", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--exercise", "ids", multiple=True, required=True, type=ExerciseId(), help="TRACK/NAME; may be given several times."
)
@click.option(
    "--hidden-cases",
    type=click.Choice(["after_published", "hidden"]),
    default="after_published",
    show_default=True,
    help="When students see title and verdict of hidden cases.",
)
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The kit itself, as `pip wheel` builds it; else pip installs this version by name.",
)
@language_option
@content_option
def gradescope(
    path: Path,
    ids: tuple[str, ...],
    hidden_cases: Literal["after_published", "hidden"],
    wheel: Path | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Write an autograder for Gradescope. It judges what students upload as `cloze grade` does.

    The zip holds the hidden graders of your course: upload it, and give it to nobody.
    """
    from clozekit.exports import gradescope_zip

    catalog = open_catalog(content)
    exercises = [catalog[id] for id in ids]
    for exercise in exercises:
        if exercise.pack is not None:
            raise exercise.pack.no_answers(exercise.id)
        exercise.sheet  # noqa: B018  (a broken exercise is told before it is uploaded)
    gradescope_zip.write(path, exercises, hidden_cases, language(lang, None), wheel)
    click.echo(f"{path} is written; upload it under Configure Autograder")


COMMANDS = [gradescope]
