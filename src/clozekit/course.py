"""Which exercise comes next: of those that lead to a goal, the easiest whose foundations are laid.

    towards(entries, "attention")               multi_head_attention, kv_cache, vector_add, fused_softmax, flash_attention, …
    following(entries, "attention", solved)     multi_head_attention; once that is solved, kv_cache

An exercise leads to a goal if it serves it, or if one that serves it builds on it.
"""

import difflib
from collections.abc import Collection, Sequence

from clozekit.catalog import Entry, Title
from clozekit.errors import NotFound


def towards(entries: Sequence[Entry], goal: str) -> list[Entry]:
    """What leads to a goal, in learning order; without a goal everything."""
    by_id = {entry.id: entry for entry in entries}
    wanted = [entry.id for entry in entries if not goal or goal in entry.goals]
    for id in wanted:  # it grows
        wanted += [before for before in by_id[id].after if before in by_id and before not in wanted]
    return [entry for entry in entries if entry.id in set(wanted)]


def following(entries: Sequence[Entry], goal: str, solved: Collection[str]) -> Entry | None:
    """The exercise to take up next; None if all that leads to the goal is solved."""
    known = {entry.id for entry in entries}
    left = [entry for entry in towards(entries, goal) if entry.id not in solved]
    ready = [entry for entry in left if not (known & set(entry.after)) - set(solved)]
    return min(ready or left, key=lambda entry: entry.difficulty, default=None)  # of equals the first in learning order


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
    guess = f"did you mean {near[0]}? " if near else ""
    raise NotFound(f"no goal {name!r}: {guess}there are {', '.join(goals) or 'none'}; `all` forgets the goal")
