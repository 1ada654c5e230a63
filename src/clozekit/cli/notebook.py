"""The command that writes notebooks: notebook."""

from pathlib import Path

import click

from clozekit import phrases
from clozekit.cli.common import ExerciseId, catalog_of, content_option, language, language_option, level_option, write
from clozekit.errors import ClozeError
from clozekit.report import Problem
from clozekit.workspace import Workspace


@click.command()
@click.argument("exercises", nargs=-1, required=True, metavar="EXERCISE...", type=ExerciseId())
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: NAME.ipynb, for one exercise.")
@click.option("--force", is_flag=True, help="Replace a notebook that is there, and the answers in it.")
@level_option
@language_option
@content_option
def notebook(
    exercises: tuple[str, ...],
    out: Path | None,
    force: bool,
    level: str | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Write a notebook to do exercises in. It has statements, cells for the answers, and cells that check them.

    `cloze check FILE.ipynb` grades it as well. A new notebook keeps nothing of the one that it replaces.
    """
    from clozekit import writing

    workspace = Workspace.around(out or Path.cwd())
    catalog = catalog_of(workspace, content)
    chosen = [catalog[id] for id in dict.fromkeys(exercises)]
    if out is None and len(chosen) > 1:
        raise ClozeError(Problem("notebook-unnamed"))
    path = out or Path(f"{chosen[0].name}.ipynb")
    if path.suffix != ".ipynb":
        raise ClozeError(Problem("notebook-name", {"path": str(path)}))
    if path.exists() and not force:
        raise ClozeError(Problem("notebook-there", {"path": str(path)}))
    told = language(lang, workspace)
    text = writing.notebook(chosen, level or (workspace.state.level if workspace else "guided"), told)
    write(str(path), text)
    click.echo(phrases.say(told, "notebook-written", file=path))


COMMANDS = [notebook]
