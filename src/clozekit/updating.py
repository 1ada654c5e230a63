"""Bring a workspace to the exercises of this kit: what changed in a starter goes into the learner's file, with all that is there.

    .cloze/starters/normalization/rms_norm.guided.en.py   the starter as it was written      base
    normalization/rms_norm.py                             with the learner's answers         theirs
    what this kit would write now                                                            new

An untouched file becomes the new starter; an edited one is merged line by line (`git merge-file`). Where both changed the same
lines, or no base was kept, the file stays and the new starter is put beside it as NAME.py.new.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from clozekit import files
from clozekit.exercise import Exercise
from clozekit.workspace import Starter, Workspace

What = Literal["written", "replaced", "merged", "look", "gone"]


class Change(NamedTuple):
    """What happens to one file. `look`: the learner has to bring it and NAME.py.new together. `gone`: no exercise any more."""

    what: What
    path: Path


def update(workspace: Workspace, exercises: Iterable[Exercise], *, dry_run: bool = False) -> Iterator[Change]:
    """Each change as soon as it is made. A second run finds none, but for what still needs a look."""
    known = set()
    for exercise in exercises:
        known.add(exercise.id)
        if what := _update(workspace, exercise, dry_run):
            yield Change(what, workspace.file(exercise))
    for path in sorted(workspace.root.glob("*/*.py")):
        id = f"{path.parent.name}/{path.stem}"
        if id not in known and workspace.starter(id):
            yield Change("gone", path)


def _update(workspace: Workspace, exercise: Exercise, dry_run: bool) -> What | None:
    path, base = workspace.file(exercise), workspace.starter(exercise.id)
    if not path.exists():
        if base or exercise.track not in workspace.state.tracks:  # deleted, or never asked for
            return None
        if not dry_run:
            workspace.write_starter(exercise)
        return "written"
    level, language = (base.level, base.language) if base else (workspace.state.level, workspace.state.language)
    level = exercise.offered(level)
    new = Starter(level, language, exercise.render(level, language).encode())
    raw = path.read_bytes()
    theirs = raw.replace(b"\r\n", b"\n")
    beside = path.with_name(f"{path.name}.new")
    what, merged = _merge(base.content if base else None, theirs, new.content)
    if what is None and beside.exists():
        return "look"
    if not dry_run:
        if what == "look":
            beside.write_bytes(new.content)
        elif what:
            if what == "merged":
                files.aside(path).write_bytes(raw)
            path.write_bytes(merged.replace(b"\n", b"\r\n") if b"\r\n" in raw else merged)
        if base != new:
            workspace.keep_starter(exercise.id, new)
    return what


def _merge(base: bytes | None, theirs: bytes, new: bytes) -> tuple[What | None, bytes]:
    """What has to be done to a file, and what it then holds."""
    if new in (base, theirs):
        return None, theirs
    if base == theirs:
        return "replaced", new
    merged = merge(base, theirs, new) if base is not None else None
    if merged is None:
        return "look", theirs
    return (None if merged == theirs else "merged"), merged


def merge(base: bytes, theirs: bytes, new: bytes) -> bytes | None:
    """Both changes in one text; None where they touch the same lines, or where there is no git to find out."""
    git = shutil.which("git")
    if git is None:
        return None
    with tempfile.TemporaryDirectory(prefix="cloze-merge-") as folder:
        names = {"theirs": theirs, "base": base, "new": new}
        for name, content in names.items():
            Path(folder, name).write_bytes(content)
        command = [git, "merge-file", "--stdout", "--quiet", *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
