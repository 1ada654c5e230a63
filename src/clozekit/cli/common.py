"""What several commands share: options, the language, finding the file that a target means, printing."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from clozekit import phrases
from clozekit.catalog import Catalog, open_catalog
from clozekit.errors import CannotCheck, ClozeError, NotFound
from clozekit.exercise import LANGUAGES, LEVELS, Exercise
from clozekit.report import Problem
from clozekit.workspace import Workspace

LANGUAGE = "clozekit.language"  # among what click keeps for the group and its commands


class ExerciseId(click.ParamType):
    """The id of an exercise, completed in the shell."""

    name = "exercise"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [
            CompletionItem(entry.id, help=entry.title.en)
            for entry in open_catalog().entries()
            if entry.id.startswith(incomplete)
        ]


def content_option(command: Callable) -> Callable:
    """--content DIR, which may be given several times."""
    return click.option(
        "--content",
        multiple=True,
        type=click.Path(path_type=Path, file_okay=False),
        help="A directory with exercises of your own; also CLOZE_CONTENT.",
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


def spoken(ctx: click.Context) -> str:
    """The language to tell an error in: that of the command that failed, as far as it can still be found out."""
    try:
        workspace = Workspace.around(Path.cwd())
    except ClozeError:
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


def console(stderr: bool = False) -> Any:
    """A rich console that respects NO_COLOR, FORCE_COLOR and pipes, and never rewraps at a pipe's 80 columns."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 200
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=not sys.stdout.isatty())


def need_gpu(language: str) -> None:
    """Raises CannotCheck where the machine has none."""
    from clozekit.bench.nvml import devices

    try:
        devices()
    except CannotCheck as error:
        raise CannotCheck(phrases.say(language, "no-device", reason=str(error))) from None


def write(path: str, text: str) -> None:
    """To a file, or to standard output: `-`."""
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise ClozeError(Problem("cannot-write", {"path": path, "reason": str(error.strerror)})) from None
