"""Which exercise comes next: the next step on the easiest way to something that serves the goal.

    towards(entries, "inference")               multi_head_attention, kv_cache, top_p, vector_add, fused_softmax, …
    following(entries, "inference", solved)     top_p; then multi_head_attention, as kv_cache builds on it; then kv_cache

A way is what serves the goal and all that it builds on, as far as that is not solved; it is as hard as its hardest exercise.
"""

import difflib
from collections.abc import Collection, Sequence

from clozekit.catalog import Entry, Title
from clozekit.errors import NotFound
from clozekit.report import Problem


def towards(entries: Sequence[Entry], goal: str) -> list[Entry]:
    """What serves a goal, and all that it builds on, in learning order; without a goal everything."""
    return _with_foundations(entries, [entry.id for entry in entries if _serves(entry, goal)])


def following(entries: Sequence[Entry], goal: str, solved: Collection[str]) -> Entry | None:
    """The exercise to take up next; None if all that serves the goal is solved. Of equals it is the first in learning order."""

    def hardest(way: list[Entry]) -> int:
        return max(entry.difficulty for entry in way)

    way = min(
        (
            [step for step in _with_foundations(entries, [entry.id]) if step.id not in solved]
            for entry in entries
            if _serves(entry, goal) and entry.id not in solved
        ),
        key=hardest,
        default=[],
    )
    waiting = {entry.id for entry in way}
    ready = [entry for entry in way if not waiting & set(entry.after)]
    return min(ready or way, key=lambda entry: entry.difficulty, default=None)  # none is ready in a circle


def _serves(entry: Entry, goal: str) -> bool:
    return not goal or goal in entry.goals


def _with_foundations(entries: Sequence[Entry], ids: list[str]) -> list[Entry]:
    """These exercises and all that they build on; what is not among `entries` is nobody's foundation."""
    by_id = {entry.id: entry for entry in entries}
    wanted = list(ids)
    for id in wanted:  # it grows
        wanted += [before for before in by_id[id].after if before in by_id and before not in wanted]
    return [entry for entry in entries if entry.id in set(wanted)]


def opened(entries: Sequence[Entry], id: str) -> list[Entry]:
    """What builds directly on an exercise."""
    return [entry for entry in entries if id in entry.after]


def find_goal(name: str, goals: dict[str, Title]) -> str:
    """A goal by its name.

    Raises:
        NotFound: there is none; the text offers the nearest, and names all.
    """
    if name in goals:
        return name
    near = difflib.get_close_matches(name, goals, 1)
    facts = {"goal": name, "goals": ", ".join(goals) or "-"}
    raise NotFound(Problem("no-goal-near", facts | {"near": near[0]}) if near else Problem("no-goal", facts))
