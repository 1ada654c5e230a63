"""`cloze report`: where a learner stands, as text or as a page."""

from collections.abc import Iterator
from pathlib import Path

import click

from clozekit import phrases
from clozekit.cli.common import catalog_of, content_option, inside, language_option, write
from clozekit.progress import Standing, Track, overview
from clozekit.render_picture import bars

SHOWN = 24  # checks of an exercise, as bars
MARKS = {"solved": ("✓", "green"), "tried": ("✗", "red")}


@click.command()
@click.option(
    "--html",
    "page",
    metavar="[PATH]",
    is_flag=False,
    flag_value="report.html",
    help="Write a page instead, with every history and last report; default: report.html. - is standard output.",
)
@language_option
@content_option
def report(page: str | None, lang: str | None, content: tuple[Path, ...]) -> None:
    """Show what is solved, what was tried, and how it went. Nothing is checked again."""
    workspace, chosen = inside(lang)
    catalog = catalog_of(workspace, content)
    if not page:
        for line in _summary(overview(catalog, workspace), chosen):
            click.echo(line)
        return
    from clozekit.page import progress_page

    write(page, progress_page(catalog, workspace, chosen))
    if page != "-":
        click.echo(phrases.say(chosen, "report-written", path=page))


def _summary(tracks: list[Track], language: str) -> Iterator[str]:
    """A line a track, and below it one for each exercise that was checked."""
    checked = [standing for track in tracks for standing in track.standings if standing.last]
    width = max((len(standing.entry.id) for standing in checked), default=0)
    for track in tracks:
        count = phrases.say(language, "report-solved", solved=track.solved, total=len(track.standings))
        yield f"{click.style(track.title.text(language), bold=True)}  {count}"
        yield from (f"  {_line(standing, width, language)}" for standing in track.standings if standing.last)
    total = sum(len(track.standings) for track in tracks)
    yield ""
    yield phrases.say(language, "report-solved", solved=sum(track.solved for track in tracks), total=total)
    yield phrases.say(language, "report-as-page" if checked else "report-nothing")


def _line(standing: Standing, width: int, language: str) -> str:
    sign, colour = MARKS[standing.state]
    attempts, last = standing.progress.attempts, standing.last
    assert last is not None
    shares = [attempt.points / attempt.max_points if attempt.max_points else 0.0 for attempt in attempts[-SHOWN:]]
    outcome = phrases.say(language, "points", points=last.points, max_points=last.max_points)
    if standing.state == "solved":
        outcome = phrases.say(language, "report-line", day=standing.progress.passed)
    checks = phrases.say(language, "report-checks", count=len(attempts))
    return f"{click.style(sign, fg=colour)} {standing.entry.id:{width}}  {outcome}  {checks}  {bars(shares, 1.0)}"


COMMANDS = [report]
