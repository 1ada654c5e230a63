"""Where a learner stands: the exercises of a catalog, by track, each with what the workspace remembers of it.

overview(catalog, workspace)
[Track("Normalization", [Standing(Entry("normalization/rms_norm", ...), Progress(passed="2026-11-22", attempts=[...]))]), ...]
"""

from itertools import groupby
from typing import Literal, NamedTuple

from clozekit.catalog import Catalog, Entry, Title
from clozekit.state import Attempt, Progress
from clozekit.workspace import Workspace

State = Literal["solved", "tried", "untouched"]


class Standing(NamedTuple):
    """One exercise and what happened with it."""

    entry: Entry
    progress: Progress

    @property
    def last(self) -> Attempt | None:
        return self.progress.attempts[-1] if self.progress.attempts else None

    @property
    def state(self) -> State:
        """Once solved, an exercise stays so."""
        return "solved" if self.progress.passed else "tried" if self.progress.attempts else "untouched"


class Track(NamedTuple):
    """One track's exercises, in learning order."""

    title: Title
    standings: list[Standing]

    @property
    def solved(self) -> int:
        return sum(standing.state == "solved" for standing in self.standings)


def overview(catalog: Catalog, workspace: Workspace) -> list[Track]:
    """Every exercise of the catalog, whether it was tried or not."""
    titles, known = catalog.tracks(), workspace.state.exercises
    order = list(titles)
    entries = sorted(catalog.entries(), key=lambda entry: order.index(entry.track))  # two roots may share a track
    return [
        Track(titles[name], [Standing(entry, known.get(entry.id, Progress())) for entry in group])
        for name, group in groupby(entries, key=lambda entry: entry.track)
    ]
