"""What several commands share: options, the language, finding the file that a target means, printing."""

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from clozekit import interviewing, phrases
from clozekit.catalog import Catalog, is_root, open_catalog
from clozekit.describe import describe, next_step
from clozekit.errors import CannotCheck, ClozeError, NotFound, why
from clozekit.exercise import LANGUAGES, LEVELS, Exercise
from clozekit.report import Problem, Report
from clozekit.state import Progress
from clozekit.workspace import STATE, Workspace, need_workspace, tell_once

if TYPE_CHECKING:
    from clozekit.engine import Engine
    from clozekit.submission import Upload

LANGUAGE = "clozekit.language"  # among what click keeps for the group and its commands


class ExerciseId(click.ParamType):
    """The id of an exercise, completed in the shell."""

    name = "exercise"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [
            CompletionItem(entry.id, help=entry.title.en)
            for entry in catalog_of(Workspace.around(Path.cwd())).entries()
            if entry.id.startswith(incomplete)
        ]


class Form(click.ParamType):
    """NAME or NAME=PATH: a format of `clozekit.exports`, and where it goes; by default to standard output."""

    name = "format"

    def __init__(self, forms: Collection[str]):
        self.forms = list(forms)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        form, _, path = value.partition("=")
        return click.Choice(self.forms).convert(form, param, ctx), path or "-"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(form) for form in self.forms if form.startswith(incomplete)]


def content_option(command: Callable) -> Callable:
    """--content DIR, which may be given several times."""
    return click.option(
        "--content",
        multiple=True,
        type=click.Path(path_type=Path, file_okay=False),
        help="A directory with more exercises; also CLOZE_CONTENT. A workspace remembers that of `init` and `start`.",
    )(command)


def language_option(command: Callable) -> Callable:
    return click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        callback=_remember,
        help="Language; default: the workspace's, else your locale's.",
    )(command)


def _remember(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """For `spoken`: when a command has failed, its own arguments are out of reach."""
    ctx.meta[LANGUAGE] = value
    return value


def level_option(command: Callable) -> Callable:
    return click.option(
        "--level", type=click.Choice(LEVELS), help="guided: fill in blanks. scratch: write every body."
    )(command)


def language(chosen: str | None, workspace: Workspace | None) -> str:
    """--lang, else CLOZE_LANG, else the workspace's, else the locale's, else English."""
    wanted = chosen or os.environ.get("CLOZE_LANG", "")
    if wanted in LANGUAGES:
        return wanted
    if workspace:
        return workspace.state.language
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if locale.startswith("zh") else "en"


def surroundings(lang: str | None, path: Path | None = None) -> tuple[Workspace | None, str]:
    """The workspace around `path`, or around here, if any, and the language to speak."""
    workspace = Workspace.around(path or Path.cwd())
    return workspace, _entered(workspace, lang)


def inside(lang: str | None) -> tuple[Workspace, str]:
    """The same for commands that need a workspace.

    Raises:
        NotFound: there is none.
    """
    workspace = need_workspace(Path.cwd())
    return workspace, _entered(workspace, lang)


def _entered(workspace: Workspace | None, lang: str | None) -> str:
    """The language to speak. An interview whose time is over ends with the first command that comes by."""
    chosen = language(lang, workspace)
    if workspace and interviewing.is_over(workspace):
        with unwritable_is_told(chosen):
            interviewing.end(workspace)
            click.echo(phrases.say(chosen, "interview-over"), err=True)
    return chosen


def catalog_of(workspace: Workspace | None, content: Iterable[Path] = ()) -> Catalog:
    """The exercises of --content and CLOZE_CONTENT, those that the workspace was made with, and the kit's.

    Raises:
        NotFound: a directory of exercises is none, or has gone.
    """
    made_with = workspace.content if workspace else []
    for path in made_with:
        if workspace and not is_root(path):
            state = workspace.root / STATE
            raise NotFound(Problem("content-gone", {"path": os.path.normpath(path), "state": str(state)}))
    return open_catalog(content, made_with)


def from_here(path: Path) -> Path:
    """The path as a learner would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def no_help_in_interview(workspace: Workspace | None, id: str) -> None:
    """Raises ClozeError while the exercise is part of an interview that runs."""
    if interviewing.asks(workspace, id):
        raise ClozeError(Problem("interview-no-help", {"id": id}))


def remember(workspace: Workspace, report: Report, path: Path, language: str, saved: datetime | None) -> None:
    """Record the check of a file, which was saved then; where that cannot be, say so: the verdict stands."""
    with unwritable_is_told(language):
        workspace.record(report, path, saved)
        interviewing.refresh(workspace, report.exercise, path)


def remember_hint(workspace: Workspace, id: str, given: Progress, language: str) -> None:
    """Count a hint that was given."""
    with unwritable_is_told(language), workspace.changing():
        progress = workspace.progress(id)
        progress.hints, progress.explained = given.hints, given.explained


@contextlib.contextmanager
def unwritable_is_told(language: str) -> Iterator[None]:
    """Where progress cannot be written, say so and go on: what the learner asked for is not lost with it."""
    try:
        yield
    except OSError as error:
        tell_once(describe(Problem("state-unwritten", why(error)), language))


def spoken(ctx: click.Context) -> str:
    """The language to tell an error in: that of the command that failed, as far as it can still be found out."""
    try:
        workspace = Workspace.around(Path.cwd())
    except (ClozeError, OSError):
        workspace = None
    return language(ctx.meta.get(LANGUAGE), workspace)


def confirm(question: str, language: str) -> None:
    """Go on only if somebody says yes; else leave with status 1. Where there is no terminal nobody is waited for."""
    if not sys.stdin.isatty():
        click.echo(f"cloze: {question} {phrases.say(language, 'nobody-to-ask')}", err=True)
        sys.exit(1)
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:  # Ctrl-C or the end of input
        agreed = False
    if not agreed:
        sys.exit(1)


def locate(target: str, exercise_id: str | None, catalog: Catalog) -> tuple[Path, Exercise]:
    """The file and the exercise that a target means: a path (its last two parts name the exercise) or an id.

    Raises:
        NotFound: no such file, or no such exercise.
        ClozeError: the path does not say which exercise it is for.
    """
    path = Path(target)
    if path.is_dir():
        raise ClozeError(Problem("is-directory", {"path": target}))
    if is_notebook(target):
        raise ClozeError(Problem("is-notebook", {"path": target}))
    if not path.exists() and "/" in target and not target.endswith(".py"):
        exercise = catalog[exercise_id or target]
        workspace = Workspace.around(Path.cwd())
        path = workspace.file(exercise) if workspace else Path(f"{exercise.id}.py")
        if not path.exists():
            raise NotFound(Problem("no-starter", {"path": str(path)}))
        return path, exercise
    if not path.exists():
        raise NotFound(Problem("no-file", {"path": target}))
    if exercise_id:
        return path, catalog[exercise_id]
    guess = f"{path.absolute().parent.name}/{path.stem}"
    try:
        return path, catalog[guess]
    except NotFound:
        raise ClozeError(Problem("which-exercise", {"path": target})) from None


def is_notebook(target: str) -> bool:
    return target.endswith(".ipynb")


def notebook(target: str, exercise_id: str | None, catalog: Catalog) -> tuple[Path, Exercise | None]:
    """The notebook that a target means, and the exercise of which the answer is wanted; None: all that it has.

    Raises:
        NotFound: no such file, or no such exercise.
        ClozeError: a directory.
    """
    path = Path(target)
    if path.is_dir():
        raise ClozeError(Problem("is-directory", {"path": target}))
    if not path.exists():
        raise NotFound(Problem("no-notebook", {"path": target}))
    return path, catalog[exercise_id] if exercise_id else None


def handed(
    engine: "Engine", upload: "Upload", exercise: Exercise | None, catalog: Catalog, language: str
) -> list[tuple[Exercise | Report, "Upload"]]:
    """What to grade of a file: the whole; of a notebook the answer to one exercise, or all that it has.

    An answer to an exercise that there is not comes with its report, unless there are no others.

    Raises:
        NotFound: answers to none that there is.
        ClozeError: no such answer, or the file is no notebook.
    """
    from clozekit.cells import answer_to
    from clozekit.submission import Unreadable

    if exercise and not is_notebook(upload.name):
        return [(exercise, upload)]
    try:
        answers = engine.open(upload.raw)
        if exercise:
            answers = [answer_to(exercise.id, answers)]
        if not answers:
            raise Unreadable(Problem("notebook-blank"))
    except Unreadable as unreadable:
        said = f"{describe(unreadable.problem, language)}\n  {next_step(unreadable.problem, language)}"
        raise ClozeError(f"{upload.name}: {said}") from None
    found: list[tuple[Exercise | Report, Upload]] = []
    for answer in answers:
        try:
            each: Exercise | Report = catalog[answer.exercise]
        except NotFound as error:
            if not isinstance(error.what, Problem) or len(answers) == 1:
                raise
            each = Report(answer.exercise, "could not check", engine.tier(), problem=error.what, cell=str(answer.cell))
        found.append((each, answer.upload(upload.name)))
    if all(isinstance(each, Report) for each, _ in found):
        raise NotFound(Problem("notebook-unknown", {"ids": ", ".join(answer.exercise for answer in answers)}))
    return found


def console(stderr: bool = False) -> Any:
    """A rich console that respects NO_COLOR, FORCE_COLOR and pipes, and never rewraps at a pipe's 80 columns."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 200
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=not sys.stdout.isatty())


def need_gpu() -> None:
    """Raises CannotCheck where the machine has none."""
    from clozekit.bench.nvml import devices

    try:
        devices()
    except CannotCheck as error:
        raise CannotCheck(Problem("no-device", why(error))) from None


def write(path: str, text: str) -> None:
    """To a file, or to standard output: `-`."""
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise ClozeError(Problem("cannot-write", {"path": path, **why(error)})) from None
