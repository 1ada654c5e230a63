"""Commands that have a learner solve exercises again, or against the clock: review, interview."""

import json
from datetime import timedelta
from pathlib import Path

import click

from clozekit import clock, interviewing, phrases, reviewing
from clozekit.catalog import Catalog
from clozekit.cli.common import ExerciseId, catalog_of, content_option, from_here, inside, language, language_option
from clozekit.course import find_goal
from clozekit.errors import ClozeError
from clozekit.interviewing import Outcome
from clozekit.report import Problem
from clozekit.state import Interview
from clozekit.workspace import Workspace, need_workspace


@click.command()
@click.argument("exercise", required=False, type=ExerciseId())
@click.option("--begin", is_flag=True, help="A new blank, even if a review of EXERCISE is under way.")
@click.option("--json", "as_json", is_flag=True, help="An array of objects with id, title, due, days.")
@language_option
@content_option
def review(exercise: str | None, begin: bool, as_json: bool, lang: str | None, content: tuple[Path, ...]) -> None:
    """List what is due to be solved again. With EXERCISE write a blank for it under review/; your solution stays.

    Due 3 days after it was first solved, then 10, 30 and 90 days after each review that it passes; one step sooner after one
    that it does not.
    """
    workspace, chosen = inside(lang)
    catalog = catalog_of(workspace, content)
    if exercise:
        _begin_review(workspace, catalog, exercise, begin, chosen)
        return
    if begin:
        raise click.UsageError("--begin needs an EXERCISE.")
    titles = {entry.id: entry.title.text(chosen) for entry in catalog.entries()}
    days = {id: day for id, day in reviewing.calendar(workspace).items() if id in titles}
    due = {id: day for id, day in days.items() if day <= clock.today()}
    if as_json:
        rows = [
            {"id": id, "title": titles[id], "due": day.isoformat(), "days": (clock.today() - day).days}
            for id, day in due.items()
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max(map(len, due), default=0)
    for id, day in due.items():
        click.echo(f"↻ {id:{width}}  {phrases.say(chosen, 'review-since', day=day)}  {titles[id]}")
    if due:
        click.echo(phrases.say(chosen, "review-how", id=next(iter(due))))
    elif days:
        id, day = next(iter(days.items()))
        click.echo(phrases.say(chosen, "review-later", id=id, day=day))
    else:
        click.echo(phrases.say(chosen, "review-none"))


def _begin_review(workspace: Workspace, catalog: Catalog, id: str, anew: bool, language: str) -> None:
    exercise = catalog[id]
    if exercise.id not in workspace.solved():
        raise ClozeError(Problem("review-unsolved", {"id": id}))
    path, is_new = reviewing.begin(workspace, exercise, anew=anew)
    click.echo(phrases.say(language, "review-begun" if is_new else "review-goes-on", file=from_here(path)))


@click.command()
@click.option("--minutes", type=click.IntRange(5, 480), default=45, show_default=True, help="How long it lasts.")
@click.option("--for", "goal", metavar="GOAL", help="Only exercises that serve it; default: any.")
@click.option("--seed", type=int, help="Draw the same set again.")
@click.option(
    "--end", "finish", is_flag=True, help="End it and show the report; without one that runs, the last report."
)
@click.option("--json", "as_json", is_flag=True, help="What has been solved, and the time left, as one object.")
@language_option
@content_option
def interview(
    minutes: int,
    goal: str | None,
    seed: int | None,
    finish: bool,
    as_json: bool,
    lang: str | None,
    content: tuple[Path, ...],
) -> None:
    """Solve a random set of exercises against the clock. From scratch and without hints; again: show the time left.

    It ends when its time is over or with --end, and a report says what was solved, how fast, and what to look at again.
    """
    workspace = need_workspace(Path.cwd())
    catalog = catalog_of(workspace, content)
    chosen = language(lang, workspace)
    current = interviewing.running(workspace)
    ended = interviewing.end(workspace) if finish or interviewing.is_over(workspace) else None
    if finish and not current:
        ended = next(reversed(workspace.state.interviews), None)
        if not ended:
            raise ClozeError(Problem("no-interview"))
    if not ended and not current:
        entries = catalog.entries()
        wanted = find_goal(goal, catalog.goals()) if goal else ""
        drawn = interviewing.draw([each for each in entries if not wanted or wanted in each.goals], minutes, seed)
        current = interviewing.begin(workspace, catalog, drawn, minutes)
    shown = ended or current
    assert shown
    if as_json:
        click.echo(json.dumps(interviewing.as_json(workspace, shown), ensure_ascii=False, indent=1))
    elif ended:
        _tell_report(workspace, ended, catalog, chosen)
    else:
        _tell_status(workspace, shown, chosen)


def _tell_status(workspace: Workspace, interview: Interview, language: str) -> None:
    left = interviewing.time_left(interview)
    minutes = -(-left // timedelta(minutes=1))  # rounded up: with seconds left it is one more minute
    click.echo(phrases.say(language, "interview-left", left=minutes, minutes=interview.minutes))
    for outcome in interviewing.outcomes(workspace, interview):
        file = from_here(workspace.root / interview.folder / f"{outcome.exercise}.py")
        click.echo(f"{_mark(outcome)} {file}")
    click.echo(phrases.say(language, "interview-how"))


def _mark(outcome: Outcome) -> str:
    if outcome.verdict == "not tried":
        return "·"
    if outcome.verdict == "failed":
        return click.style("✗", fg="red")
    return click.style("!", fg="yellow") if outcome.late else click.style("✓", fg="green")


def _tell_report(workspace: Workspace, interview: Interview, catalog: Catalog, language: str) -> None:
    found = interviewing.outcomes(workspace, interview)
    day, solved = interview.folder.partition("/")[2], sum(outcome.in_time for outcome in found)
    head = phrases.say(
        language, "interview-report", day=day, minutes=interview.minutes, solved=solved, total=len(found)
    )
    click.echo(click.style(head, bold=True))
    width = max(len(outcome.exercise) for outcome in found)
    for outcome in found:
        points = phrases.say(language, "points", points=outcome.points, max_points=outcome.max_points)
        told = points if outcome.checks else phrases.say(language, "interview-not-tried")
        if outcome.minutes_to_pass is not None:
            key = "interview-late" if outcome.late else "interview-solved"
            told += "  " + phrases.say(language, key, minutes=f"{outcome.minutes_to_pass:.0f}")
        click.echo(f"{_mark(outcome)} {outcome.exercise:{width}}  {told}")
        for mistake in outcome.mistakes:
            words = catalog[outcome.exercise].words(language).mistakes.get(mistake, mistake)
            click.echo(f"    {phrases.say(language, 'likely-mistake')}  {words}  ({mistake})")
    if again := [outcome.exercise for outcome in found if not outcome.in_time]:
        click.echo(phrases.say(language, "interview-again", ids=phrases.say(language, "comma").join(again)))
    click.echo(phrases.say(language, "interview-file", file=from_here(interviewing.report_path(workspace, interview))))


COMMANDS = [review, interview]
