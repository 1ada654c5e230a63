"""Commands for a learner: init, list, show, check, hint, reset, solution, demo."""

import json
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Literal

import click

from clozekit import phrases
from clozekit.catalog import open_catalog
from clozekit.cli.common import (
    ExerciseId,
    console,
    content_option,
    language,
    language_option,
    level_option,
    locate,
    need_gpu,
    write,
)
from clozekit.errors import CannotCheck, ClozeError, NotFound
from clozekit.report import EXIT_STATUS
from clozekit.workspace import Workspace, need_workspace


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--track", multiple=True, help="Only this track; may be given several times.")
@level_option
@language_option
@content_option
def init(
    directory: Path, track: tuple[str, ...], level: str | None, lang: str | None, content: tuple[Path, ...]
) -> None:
    """Make DIRECTORY a workspace: write a starter for every exercise. Files that are there stay as they are."""
    catalog = open_catalog(content)
    exercises = [exercise for exercise in catalog if not track or exercise.track in track]
    if not exercises:
        raise NotFound(f"no exercise in track {', '.join(track)}; `cloze list` shows the tracks")
    existing = Workspace.around(directory) if (directory / ".cloze").is_dir() else None
    chosen = language(lang, existing)
    workspace = Workspace.create(directory, chosen, level or (existing.state.level if existing else "guided"))
    written = sum(workspace.write_starter(exercise) for exercise in exercises)
    click.echo(phrases.say(chosen, "initialised", written=written, kept=len(exercises) - written, directory=directory))
    first = workspace.file(exercises[0])
    click.echo(phrases.say(chosen, "initialised-next", file=first))


@click.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help="An array of objects with id, track, title, difficulty, after, passed."
)
@click.option("--track", help="Only this track.")
@language_option
@content_option
def list_(as_json: bool, track: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """List the exercises in learning order."""
    workspace = Workspace.around(Path.cwd())
    chosen = language(lang, workspace)
    solved = {id for id, progress in workspace.state.exercises.items() if progress.passed} if workspace else set()
    entries = [entry for entry in open_catalog(content).entries() if track in (None, entry.track)]
    if track and not entries:
        raise NotFound(f"no exercise in track {track}; `cloze list` shows the tracks")
    if as_json:
        rows = [
            {
                "id": entry.id,
                "track": entry.track,
                "title": entry.title.zh if chosen == "zh" else entry.title.en,
                "difficulty": entry.difficulty,
                "after": entry.after,
                "passed": entry.id in solved,
            }
            for entry in entries
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max((len(entry.id) for entry in entries), default=0)
    for entry in entries:
        mark = click.style("✓", fg="green") if entry.id in solved else "·"
        title = entry.title.zh if chosen == "zh" else entry.title.en
        click.echo(f"{mark} {entry.id:{width}}  {'★' * entry.difficulty:5}  {title}")


@click.command()
@click.argument("exercise", type=ExerciseId())
@language_option
@content_option
def show(exercise: str, lang: str | None, content: tuple[Path, ...]) -> None:
    """Show the statement of EXERCISE."""
    found = open_catalog(content)[exercise]
    chosen = language(lang, Workspace.around(Path.cwd()))
    words = found.words(chosen)
    click.echo(click.style(words.title, bold=True))
    click.echo(f"\n{words.statement.strip()}\n")
    click.echo(f"{phrases.say(chosen, 'source')}: {found.sheet.source}")


@click.command()
@click.argument("target", metavar="FILE|EXERCISE")
@click.option("--exercise", type=ExerciseId(), help="TRACK/NAME, where the file's path does not say it.")
@click.option("--json", "json_path", metavar="PATH", help="Write the report as JSON; - is standard output.")
@click.option(
    "--reveal",
    type=click.Choice(["all", "visible"]),
    default="all",
    show_default=True,
    help="What is told of hidden cases.",
)
@click.option("--seed", type=int, help="Draw the same inputs again; by default they are secret and new.")
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the file runs; cuda is an NVIDIA GPU.",
)
@level_option
@language_option
@content_option
def check(
    target: str,
    exercise: str | None,
    json_path: str | None,
    reveal: Literal["all", "visible"],
    seed: int | None,
    device: str,
    level: str | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Check a file: 0 passed, 1 failed, 2 wrong usage, 3 could not check.

    Both levels are judged alike; --level is accepted so that a script can name the one that was set.
    """
    from clozekit import render, submission, warm
    from clozekit.engine import Engine

    path, found = locate(target, exercise, open_catalog(content))
    found.sheet  # noqa: B018  (a broken exercise is told before anything starts)
    workspace = Workspace.around(path)
    chosen = language(lang, workspace)
    if device == "cuda":
        need_gpu(chosen)
        raise CannotCheck(phrases.say(chosen, "no-cases-on-device"))
    try:
        upload = submission.read(path)
    except OSError as error:
        raise ClozeError(f"{path} cannot be read: {error.strerror}") from None
    Thread(target=import_module, args=("rich.console",)).start()  # while the judge works
    report = warm.grade(workspace, found, upload) if workspace and seed is None else None
    if not report:
        with Engine(seed) as engine:
            report = engine.grade(found, upload)
    if json_path:
        text = json.dumps(render.as_json(report, found, chosen, reveal), ensure_ascii=False, indent=1) + "\n"
        write(json_path, text)
    if json_path != "-":
        console().print(render.as_text(report, found, chosen, reveal))
        if report.tier == "C":
            console(stderr=True).print(f"[dim]{phrases.say(chosen, 'tier-C')}[/]")
    if workspace:
        workspace.record(report)
    sys.exit(EXIT_STATUS[report.verdict])


@click.command()
@click.argument("exercise", type=ExerciseId())
@click.option("--all", "everything", is_flag=True, help="All hints at once.")
@language_option
@content_option
def hint(exercise: str, everything: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """Show the next hint for EXERCISE; in a workspace each call goes one step further."""
    found = open_catalog(content)[exercise]
    workspace = Workspace.around(Path.cwd())
    chosen = language(lang, workspace)
    hints = found.words(chosen).hints
    if everything:
        click.echo("\n\n".join(hints))
        return
    given = min(workspace.progress(found.id).hints if workspace else 0, len(hints) - 1)
    click.echo(hints[given])
    left = len(hints) - given - 1
    click.echo(
        phrases.say(chosen, "hints-left", left=left, id=found.id)
        if left
        else phrases.say(chosen, "hints-done", id=found.id)
    )
    if workspace:
        workspace.progress(found.id).hints = given + 1
        workspace.save()


@click.command()
@click.argument("exercise", type=ExerciseId())
@level_option
@language_option
@content_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(exercise: str, level: str | None, lang: str | None, content: tuple[Path, ...], yes: bool) -> None:
    """Bring the starter of EXERCISE back; the file as it was is kept beside it as NAME.py.bak."""
    found = open_catalog(content)[exercise]
    workspace = need_workspace(Path.cwd())
    workspace.state.level, workspace.state.language = level or workspace.state.level, language(lang, workspace)
    path = workspace.file(found)
    if path.exists() and path.read_bytes() != found.render(workspace.state.level, workspace.state.language).encode():
        if not yes:
            click.confirm(f"{path}: back to the starter? Your version is kept as {path.name}.bak", abort=True)
        path.replace(path.with_name(path.name + ".bak"))
    workspace.write_starter(found, overwrite=True)
    click.echo(str(path))


@click.command()
@click.argument("exercise", type=ExerciseId())
@content_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def solution(exercise: str, content: tuple[Path, ...], yes: bool) -> None:
    """Print our solution of EXERCISE. Asks first if you have not solved it yet."""
    from clozekit import blanks

    found = open_catalog(content)[exercise]
    workspace = Workspace.around(Path.cwd())
    solved = workspace is not None and workspace.progress(found.id).passed
    if not solved and not yes:
        click.confirm(f"{found.id} is not solved yet. Show the solution?", abort=True, err=True)
    click.echo(blanks.reveal(found.solution), nl=False)


@click.command()
@language_option
def demo(lang: str | None) -> None:
    """Tell the whole story on real code: a blank is refused, a mistake is named, the solution passes."""
    from clozekit.cli.demo import tell

    sys.exit(tell(language(lang, None)))


COMMANDS = [init, list_, show, check, hint, reset, solution, demo]
