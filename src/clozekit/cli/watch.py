"""The command watch: a page that changes with every save, or reports one after the other."""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from clozekit import interviewing
from clozekit.catalog import Catalog
from clozekit.cli.common import (
    ExerciseId,
    catalog_of,
    console,
    content_option,
    language,
    language_option,
    locate,
    remember,
)
from clozekit.course import following
from clozekit.describe import describe
from clozekit.errors import ClozeError
from clozekit.files import locked
from clozekit.phrases import say
from clozekit.report import Problem
from clozekit.workspace import Workspace, need_workspace

if TYPE_CHECKING:
    from clozekit.engine import Engine
    from clozekit.inbox import Inbox
    from clozekit.spare import Spare
    from clozekit.watching import Failed, Target, Told

LOCK = Path(".cloze") / "watch.lock"
ENDING = (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT)


@click.command()
@click.argument("target", metavar="[FILE|EXERCISE]", required=False)
@click.option("--exercise", type=ExerciseId(), help="TRACK/NAME, where the file's path does not say it.")
@click.option("--json", "as_json", is_flag=True, help="One report a line, each as `cloze check --json` writes it.")
@language_option
@content_option
def watch(target: str | None, exercise: str | None, as_json: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """Check the workspace, or one file, at every save. On a terminal ? shows the keys, q ends it.

    Those of a review or an interview that is under way are among them.

    Meanwhile `cloze check` in the same workspace is as fast: it uses the same judge. A workspace has one watch at a time.
    """
    from clozekit import warm
    from clozekit.engine import Engine
    from clozekit.inbox import Inbox
    from clozekit.serving import Serving
    from clozekit.spare import Spare
    from clozekit.watching import Watching

    since, kit = _started(), warm.fingerprint()
    workspace = Workspace.around(Path(target)) if target else need_workspace(Path.cwd())
    catalog = catalog_of(workspace, content)
    targets = _targets(target, exercise, catalog, workspace)
    chosen = language(lang, workspace)
    with (
        _until_signalled(),
        _alone(workspace),
        Inbox() as inbox,
        Engine() as engine,
        Spare(engine) as spare,
        ExitStack() as stack,
    ):
        if workspace:
            stack.enter_context(Serving(workspace.root, engine, spare, catalog, kit))
        if as_json or not _on_a_terminal():
            with Watching(engine, spare, catalog, targets, inbox.put, since):
                _tell(
                    engine,
                    spare,
                    catalog,
                    first(targets, catalog, workspace),
                    chosen,
                    sum(target.path.exists() for target in targets),
                )
                _print(inbox, workspace, chosen, as_json)
        else:
            from clozekit.cli.page import Page
            from clozekit.screen import Screen

            with Watching(engine, spare, catalog, targets, inbox.put) as watching, Screen(inbox) as screen:
                Page(screen, watching, workspace, chosen).run(first(targets, catalog, workspace))


def _targets(target: str | None, exercise: str | None, catalog: Catalog, workspace: Workspace | None) -> list["Target"]:
    """The files to watch: one, or all of the workspace."""
    from clozekit.watching import Target

    if target:
        path, found = locate(target, exercise, catalog)
        return [Target(path.absolute(), found.id)]
    assert workspace
    ids = [exercise.id for exercise in catalog]
    beside = [("review", id) for id in ids if workspace.progress(id).reviewing]
    if interview := interviewing.running(workspace):
        beside += [(interview.folder, id) for id in interview.exercises if id in ids]
    files = [(workspace.root / folder / f"{id}.py", id) for folder, id in [*(("", id) for id in ids), *beside]]
    return [Target(path, id) for path, id in files]


@contextmanager
def _alone(workspace: Workspace | None) -> Iterator[None]:
    """Two watches of a workspace would record every save twice, and take the answers of `cloze check` from each other.

    Raises:
        ClozeError: another one runs.
    """
    with ExitStack() as stack:
        try:
            if workspace:
                stack.enter_context(locked(workspace.root / LOCK, wait=False))
        except BlockingIOError:
            raise ClozeError(Problem("watch-twice")) from None
        except OSError:  # nothing can be written here, so that nothing is recorded at all
            pass
        yield


def first(targets: list["Target"], catalog: Catalog, workspace: Workspace | None) -> "Target":
    """What the learner is at: the file of the last attempt, or, if that one is solved, what comes next."""
    present = {target.id: target for target in targets if target.path.exists()}
    tried = {id: each for id, each in workspace.state.exercises.items() if each.attempts} if workspace else {}
    last = max(tried, key=lambda id: tried[id].attempts[-1].at, default="")
    if last in present and not tried[last].passed:
        return present[last]
    goal = workspace.state.goal if workspace else ""
    entry = following([entry for entry in catalog.entries() if entry.id in present], goal, solved(workspace))
    return present[entry.id] if entry else targets[0]


def solved(workspace: Workspace | None) -> set[str]:
    return workspace.solved() if workspace else set()


def record(told: "Told", workspace: Workspace | None, language: str) -> Workspace | None:
    """Remember what a save came to; of a mere look only that it passed. The workspace as it is then, whoever wrote to it."""
    if not workspace:
        return None
    workspace = Workspace(workspace.root)
    if told.saved or (told.report.verdict == "passed" and told.report.exercise not in solved(workspace)):
        remember(workspace, told.report, told.target.path, language, told.at)
    return workspace


def _tell(engine: "Engine", spare: "Spare", catalog: Catalog, target: "Target", chosen: str, files: int) -> None:
    """Make the judge warm, and say when it is."""
    from clozekit.engine import worker_limits

    if engine.tier() == "C":
        click.echo(say(chosen, "tier-C"), err=True)
    with suppress(ClozeError):  # a save will tell what is wrong with the exercise
        exercise = catalog[target.id]
        engine.tester(exercise)
        spare.prepare(worker_limits(exercise))
    click.echo(say(chosen, "watch-begun", files=files), err=True)


def _print(inbox: "Inbox", workspace: Workspace | None, chosen: str, as_json: bool) -> None:
    """One report after the other, as long as somebody reads them."""
    from clozekit import render
    from clozekit.watching import Began, Told

    poll = select.poll()
    poll.register(inbox.bell, select.POLLIN)
    poll.register(sys.stdout, 0)  # an error, that is nobody reads, is always told
    while sys.stdout.fileno() not in dict(poll.poll()):
        for news in inbox.take():
            if isinstance(news, Began):
                continue
            if isinstance(news, Told):
                workspace = record(news, workspace, chosen)
            if as_json:
                click.echo(json.dumps(_as_json(news, chosen), ensure_ascii=False))
            elif isinstance(news, Told):
                asked = interviewing.asks(workspace, news.target.id)
                console().print(render.as_text(news.report, news.exercise, chosen, "all", asked), end="\n\n")
            else:
                click.echo(f"{news.target.id}: {describe(news.problem, chosen)}\n")


def _as_json(news: "Told | Failed", chosen: str) -> dict[str, Any]:
    """A save is answered by a report even where there is nothing to judge."""
    from clozekit import render
    from clozekit.report import Report
    from clozekit.watching import Failed

    if isinstance(news, Failed):
        report = Report(news.target.id, "could not check", "C", problem=news.problem)
        return render.as_json(report, None, chosen, "all")
    return render.as_json(news.report, news.exercise, chosen, "all")


@contextmanager
def _until_signalled() -> Iterator[None]:
    """What ends other programs ends this one by an exception, so that nothing is left of it."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    former = {number: signal.signal(number, end) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _started() -> float:
    """When this process was started, in seconds as in time.time(): what is saved from then on is not to be missed."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


COMMANDS = [watch]
