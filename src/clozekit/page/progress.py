"""A workspace as its template shows it: every track, and each exercise that was tried with its history and last report."""

from datetime import datetime
from typing import NamedTuple

from clozekit import interviewing
from clozekit.catalog import Catalog
from clozekit.exercise import Exercise
from clozekit.page.report import ReportView, report_view
from clozekit.progress import Standing, State, overview
from clozekit.report import Verdict
from clozekit.state import Attempt
from clozekit.workspace import Workspace

PLOTTED = 60  # attempts in a drawing; the older ones are a number


class AttemptView(NamedTuple):
    """One check. `share`: of the points."""

    at: str
    when: str
    verdict: Verdict
    points: float
    max_points: float
    share: float
    mistake: str


class ExerciseView(NamedTuple):
    """One exercise. Without attempts it has no details; those of the newest are open."""

    id: str
    title: str
    difficulty: int
    state: State
    attempts: list[AttemptView]
    earlier: int
    report: ReportView | None
    newest: bool


class TrackView(NamedTuple):
    """One track."""

    title: str
    solved: int
    exercises: list[ExerciseView]


class ProgressView(NamedTuple):
    """The whole workspace. `elsewhere`: exercises that it remembers and this catalog does not have."""

    tracks: list[TrackView]
    elsewhere: int

    @property
    def checks(self) -> int:
        """How many there were."""
        return sum(exercise.earlier + len(exercise.attempts) for exercise in self.exercises)

    @property
    def exercises(self) -> list[ExerciseView]:
        return [exercise for track in self.tracks for exercise in track.exercises]


def progress_view(catalog: Catalog, workspace: Workspace, language: str) -> ProgressView:
    """What the template `progress_page.html` asks for."""
    tracks = overview(catalog, workspace)
    standings = [standing for track in tracks for standing in track.standings]
    checked = {standing.entry.id: standing.last.at for standing in standings if standing.last}
    newest = max(checked, key=checked.__getitem__, default="")
    views = [
        TrackView(
            getattr(track.title, language),
            track.solved,
            [_exercise(standing, catalog, workspace, language, newest) for standing in track.standings],
        )
        for track in tracks
    ]
    known = {standing.entry.id for standing in standings}
    elsewhere = [id for id, progress in workspace.state.exercises.items() if progress.attempts and id not in known]
    return ProgressView(views, len(elsewhere))


def _exercise(standing: Standing, catalog: Catalog, workspace: Workspace, language: str, newest: str) -> ExerciseView:
    entry, attempts = standing.entry, standing.progress.attempts
    exercise = catalog[entry.id]
    report = _last(exercise, workspace, language) if attempts else None
    explained = exercise.words(language).mistakes if attempts else {}
    return ExerciseView(
        entry.id,
        getattr(entry.title, language),
        entry.difficulty,
        standing.state,
        [_attempt(each, explained) for each in attempts[-PLOTTED:]],
        max(0, len(attempts) - PLOTTED),
        report,
        entry.id == newest,
    )


def _last(exercise: Exercise, workspace: Workspace, language: str) -> ReportView | None:
    report = workspace.last_report(exercise.id)
    try:
        asked = interviewing.asks(workspace, exercise.id)
        return report_view(report, exercise, language, "all", asked) if report else None
    except KeyError:  # it holds a problem for which this version of the kit has no words
        return None


def _attempt(attempt: Attempt, explained: dict[str, str]) -> AttemptView:
    share = attempt.points / attempt.max_points if attempt.max_points else 0.0
    mistake = explained.get(attempt.mistake, attempt.mistake) if attempt.mistake else ""
    return AttemptView(
        attempt.at, moment(attempt.at), attempt.verdict, attempt.points, attempt.max_points, share, mistake
    )


def moment(at: str) -> str:
    """A time of the history as the clock on the wall says it."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):  # somebody edited the file
        return at
