"""Commands about the way through the exercises: start, progress, update."""

import json
from pathlib import Path
from typing import Any

import click

from clozekit import phrases, reviewing
from clozekit.catalog import Catalog, Entry
from clozekit.cli.common import (
    catalog_of,
    content_option,
    from_here,
    inside,
    language_option,
    level_option,
    surroundings,
    write,
)
from clozekit.course import find_goal, following, opened
from clozekit.errors import ClozeError
from clozekit.report import Problem
from clozekit.state import SCHEMA, Damaged, Newer, State, decode, encode, merged
from clozekit.workspace import Workspace


@click.command()
@click.option("--for", "goal", metavar="GOAL", help="What you are after: attention, inference, …; `all` forgets it.")
@level_option
@language_option
@content_option
def start(goal: str | None, level: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """Take up the next exercise on the easiest way to GOAL. The goal is remembered.

    Here becomes a workspace if it is in none. A file that is there stays as it is.
    """
    existing, chosen = surroundings(lang)
    catalog = catalog_of(None if content else existing, content)
    goals = catalog.goals()
    wanted = "" if goal in (None, "all") else find_goal(goal, goals)
    root, before = (existing.root, existing.state.level) if existing else (Path.cwd(), "guided")
    workspace = Workspace.create(root, chosen, level or before, content)
    if goal:
        with workspace.changing() as state:
            state.goal = wanted
    _take_up_next(workspace, catalog, workspace.state.goal if workspace.state.goal in goals else "", chosen)


def _take_up_next(workspace: Workspace, catalog: Catalog, goal: str, language: str) -> None:
    """Write the starter that comes next towards a goal, and say what it is, why this one, and how to go on."""
    entries = catalog.entries()
    title = catalog.goals()[goal].text(language) if goal else phrases.say(language, "goal-all")
    entry = following(entries, goal, workspace.solved())
    if entry is None:
        click.echo(phrases.say(language, "start-done", goal=title))
        return
    exercise = catalog[entry.id]
    workspace.write_starter(exercise)
    name, stars = entry.title.text(language), "★" * entry.difficulty
    head = phrases.say(language, "start-title", title=name, stars=stars, minutes=entry.minutes)
    file = from_here(workspace.file(exercise))
    click.echo(f"{click.style(head, bold=True)}\n{file}")
    for line in _why(entry, entries, goal, title, language):
        click.echo(f"  {line}")
    click.echo(phrases.say(language, "start-check", file=file))


def _why(entry: Entry, entries: list[Entry], goal: str, title: str, language: str) -> list[str]:
    """Why this exercise: the goal, what it builds on, what it opens."""
    titles = {each.id: each.title.text(language) for each in entries}
    comma = phrases.say(language, "comma")
    serves = "start-serves" if not goal or goal in entry.goals else "start-leads"
    lines = [phrases.say(language, serves, goal=title)]
    if before := [titles[id] for id in entry.after if id in titles]:
        lines.append(phrases.say(language, "start-after", titles=comma.join(before)))
    if then := [titles[each.id] for each in opened(entries, entry.id)]:
        lines.append(phrases.say(language, "start-opens", titles=comma.join(then)))
    return lines


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object: tracks, solved, total, begun, due.")
@click.option(
    "--export", "target", metavar="FILE", help="Write all progress to FILE for another machine; - is standard output."
)
@click.option(
    "--import",
    "source",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Add the progress of another machine; a workspace.json will do as well.",
)
@language_option
@content_option
def progress(
    as_json: bool, target: str | None, source: Path | None, lang: str | None, content: tuple[Path, ...]
) -> None:
    """Show how far you are, and what is due for review. Or carry that to another machine."""
    workspace, chosen = inside(lang)
    if source:
        theirs = _read_progress(source)
        with workspace.changing():
            workspace.state = merged(workspace.state, theirs)
    if target:
        write(target, encode(workspace.state, {}).decode())
        return
    found = _progress(workspace, catalog_of(workspace, content), chosen)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    width = max(len(row["track"]) for row in found["tracks"])
    for row in found["tracks"]:
        count = phrases.say(chosen, "progress-of", solved=row["solved"], total=row["total"])
        click.echo(f"{row['track']:{width}}  {count:8}  {row['title']}")
    click.echo(phrases.say(chosen, "progress-sum", solved=found["solved"], total=found["total"], begun=found["begun"]))
    if found["due"]:
        click.echo(phrases.say(chosen, "progress-due", ids=phrases.say(chosen, "comma").join(found["due"])))


def _read_progress(path: Path) -> State:
    try:
        return decode(path.read_bytes())[0]
    except Damaged as error:
        raise ClozeError(Problem("no-progress", {"path": str(path), "reason": str(error)})) from None
    except Newer as error:
        facts = {"path": str(path), "theirs": str(error.schema), "ours": str(SCHEMA)}
        raise ClozeError(Problem("newer-workspace", facts)) from None


def _progress(workspace: Workspace, catalog: Catalog, language: str) -> dict[str, Any]:
    """By track and in all. `begun`: tried, and not solved."""
    entries, titles, solved = catalog.entries(), catalog.tracks(), workspace.solved()
    tried = {id for id, progress in workspace.state.exercises.items() if progress.attempts}
    rows = []
    for track in dict.fromkeys(entry.track for entry in entries):
        ids = {entry.id for entry in entries if entry.track == track}
        title = titles[track].text(language)
        rows.append({"track": track, "title": title, "solved": len(ids & solved), "total": len(ids)})
    ids = {entry.id for entry in entries}
    return {
        "schema": 1,
        "tracks": rows,
        "solved": len(ids & solved),
        "total": len(ids),
        "begun": len(ids & tried - solved),
        "due": reviewing.due_now(workspace),
    }


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@language_option
@content_option
def update(dry_run: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """Bring the starters to this version of the kit. What you wrote stays.

    A file that you have changed is merged, and kept as it was as NAME.py.bak. Where that is not possible the new starter is put
    beside it as NAME.py.new. New exercises of the tracks that `cloze init` wrote are
    written; what is no exercise any more stays and is named.
    """
    from clozekit import updating

    workspace, chosen = inside(lang)
    changes = list(updating.update(workspace, catalog_of(workspace, content), dry_run=dry_run))
    for change in changes:
        click.echo(phrases.say(chosen, f"update-{change.what}", file=from_here(change.path)))
    if not changes:
        click.echo(phrases.say(chosen, "update-none"))
    elif dry_run:
        click.echo(phrases.say(chosen, "update-dry"))


COMMANDS = [start, progress, update]
