"""Commands for a learner: init, list, show, check, reset, demo."""

import json
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Literal

import click

from clozekit import files, interviewing, phrases, reviewing
from clozekit.cli.common import (
    ExerciseId,
    Form,
    catalog_of,
    confirm,
    console,
    content_option,
    handed,
    inside,
    is_notebook,
    language,
    language_option,
    level_option,
    locate,
    need_gpu,
    notebook,
    remember,
    surroundings,
    write,
)
from clozekit.describe import describe
from clozekit.errors import ClozeError, NotFound, unreadable
from clozekit.exercise import Exercise
from clozekit.exports import REPORTS, export
from clozekit.report import EXIT_STATUS, Problem, Report, worst
from clozekit.workspace import Workspace


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--track", multiple=True, help="Only this track; may be given several times.")
@level_option
@language_option
@content_option
def init(
    directory: Path, track: tuple[str, ...], level: str | None, lang: str | None, content: tuple[Path, ...]
) -> None:
    """Make DIRECTORY a workspace with a starter for each exercise. Files that are there stay as they are."""
    existing, chosen = (
        surroundings(lang, directory) if (directory / ".cloze").is_dir() else (None, language(lang, None))
    )
    catalog = catalog_of(None if content else existing, content)
    exercises = [exercise for exercise in catalog if not track or exercise.track in track]
    if not exercises:
        raise NotFound(Problem("no-track", {"track": ", ".join(track)}))
    workspace = Workspace.create(directory, chosen, level or (existing.state.level if existing else "guided"), content)
    with workspace.changing() as state:
        state.tracks = sorted({*state.tracks, *(exercise.track for exercise in exercises)})
    written = sum(workspace.write_starter(exercise) for exercise in exercises)
    click.echo(phrases.say(chosen, "initialised", written=written, kept=len(exercises) - written, directory=directory))
    first = workspace.file(exercises[0])
    click.echo(phrases.say(chosen, "initialised-next", file=first))


@click.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help="An array of objects with id, track, title, difficulty, after, passed, due."
)
@click.option("--track", help="Only this track.")
@language_option
@content_option
def list_(as_json: bool, track: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """List the exercises in learning order. ✓ is solved, ↻ solved and due for review."""
    workspace, chosen = surroundings(lang)
    solved = workspace.solved() if workspace else set()
    due = reviewing.due_now(workspace) if workspace else []
    entries = [entry for entry in catalog_of(workspace, content).entries() if track in (None, entry.track)]
    if track and not entries:
        raise NotFound(Problem("no-track", {"track": track}))
    if as_json:
        rows = [
            {
                "id": entry.id,
                "track": entry.track,
                "title": entry.title.text(chosen),
                "difficulty": entry.difficulty,
                "after": entry.after,
                "passed": entry.id in solved,
                "due": entry.id in due,
            }
            for entry in entries
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max((len(entry.id) for entry in entries), default=0)
    for entry in entries:
        mark = click.style("✓", fg="green") if entry.id in solved else "·"
        mark = click.style("↻", fg="yellow") if entry.id in due else mark
        click.echo(f"{mark} {entry.id:{width}}  {'★' * entry.difficulty:5}  {entry.title.text(chosen)}")


@click.command()
@click.argument("exercise", type=ExerciseId())
@language_option
@content_option
def show(exercise: str, lang: str | None, content: tuple[Path, ...]) -> None:
    """Show the statement of EXERCISE."""
    workspace, chosen = surroundings(lang)
    found = catalog_of(workspace, content)[exercise]
    words = found.words(chosen)
    click.echo(click.style(words.title, bold=True))
    click.echo(f"\n{words.statement.strip()}\n")
    click.echo(f"{phrases.say(chosen, 'source')}: {found.sheet.source}")


@click.command()
@click.argument("target", metavar="FILE|EXERCISE")
@click.option("--exercise", type=ExerciseId(), help="TRACK/NAME, where the file's path does not say it.")
@click.option("--json", "json_path", metavar="PATH", help="Write the report as JSON; - is standard output.")
@click.option("--html", "page", metavar="PATH", help="Also write it as a page of its own; - is standard output.")
@click.option(
    "--format",
    "forms",
    metavar="NAME[=PATH]",
    multiple=True,
    type=Form(REPORTS),
    help=f"Also write it for a school or CI: {', '.join(REPORTS)}; of hidden cases no more than --reveal visible tells.",
)
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
    page: str | None,
    forms: tuple[tuple[str, str], ...],
    reveal: Literal["all", "visible"],
    seed: int | None,
    device: str,
    level: str | None,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Check a file. The exit status is 0 passed, 1 failed, 2 wrong usage, 3 could not check.

    Of a notebook all answers are checked, or that to --exercise; the worst decides, and --json has an array if there are several.
    An answer to an exercise that there is not could not be checked.

    Both levels are judged alike; --level is accepted so that a script can name the one that was set.
    """
    from clozekit import render, submission, warm

    workspace, chosen = surroundings(lang, Path(target))
    catalog = catalog_of(workspace, content)
    path, found = notebook(target, exercise, catalog) if is_notebook(target) else locate(target, exercise, catalog)
    if found:
        found.sheet  # noqa: B018  (a broken exercise is told before anything starts)
    if device == "cuda":
        need_gpu()
    try:
        upload = submission.read(path)
    except OSError as error:
        raise unreadable(path, error) from None
    Thread(target=import_module, args=("rich.console",)).start()  # while the judge works
    graded: list[tuple[Report, Exercise | None]] = []
    if found and workspace and seed is None and device == "cpu" and not is_notebook(target):
        warmly = warm.grade(workspace, found, upload)
        graded = [(warmly, found)] if warmly else []
    if not graded:
        from clozekit.engine import Engine

        with Engine(seed) as engine:
            where = None if device == "cpu" else device
            for each, answer in handed(engine, upload, found, catalog, chosen):
                if isinstance(each, Exercise):
                    graded.append((engine.grade(each, answer, device=where), each))
                elif each.problem:
                    click.echo(f"cloze: {answer.name}: {describe(each.problem, chosen)}", err=True)
                    graded.append((each, None))
    known = [(report, each) for report, each in graded if each]
    if "-" not in (json_path, page, *(place for _, place in forms)):
        for report, each in known:
            console().print(render.as_text(report, each, chosen, reveal, interviewing.asks(workspace, each.id)))
        if report.tier == "C":
            console(stderr=True).print(f"[dim]{phrases.say(chosen, 'tier-C')}[/]")
    if workspace:
        for report, _ in known:
            remember(workspace, report, path, chosen, upload.saved)
    if json_path:
        told = [render.as_json(report, each, chosen, reveal) for report, each in graded]
        write(json_path, json.dumps(told if len(told) > 1 else told[0], ensure_ascii=False, indent=1) + "\n")
    if page:
        from clozekit.page import report_page

        if len(graded) > 1:
            raise ClozeError(Problem("one-report", {"path": target}))
        [(report, each)] = known
        write(page, report_page(report, each, chosen, reveal, interviewing.asks(workspace, each.id)))
    whose = {"student": "", "file": str(path), "attempt": "", "handed_in": ""}
    for form, place in forms:
        lines = [whose | render.as_json(report, each, chosen, "visible") for report, each in graded]
        write(place, export(form, lines, chosen))
    sys.exit(EXIT_STATUS[worst([report.verdict for report, _ in graded])])


@click.command()
@click.argument("exercise", type=ExerciseId())
@level_option
@language_option
@content_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(exercise: str, level: str | None, lang: str | None, content: tuple[Path, ...], yes: bool) -> None:
    """Bring the starter of EXERCISE back. The file as it was is kept beside it as NAME.py.bak."""
    workspace, chosen = inside(lang)
    found = catalog_of(workspace, content)[exercise]
    workspace.state.level, workspace.state.language = level or workspace.state.level, chosen
    path = workspace.file(found)
    if path.exists() and not found.is_starter(path.read_bytes()):
        kept = files.aside(path)
        if not yes:
            confirm(phrases.say(chosen, "reset-ask", path=path, name=kept.name), chosen)
        path.replace(kept)
    workspace.write_starter(found, overwrite=True)
    click.echo(str(path))


@click.command()
@language_option
def demo(lang: str | None) -> None:
    """Tell the whole story on real code. A blank is refused, a mistake is named, the solution passes."""
    from clozekit.cli.demo import tell

    sys.exit(tell(language(lang, None)))


COMMANDS = [init, list_, show, check, reset, demo]
