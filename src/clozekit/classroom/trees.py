"""What a teacher gives to `cloze grade`, as one list of files: a directory or an archive, with the archives inside it opened.

submissions.zip with ada/lab/square.py and bob.tar.gz  ->  Tree("submissions", [
    Entry("ada/lab/square.py", /tmp/cloze-x/1/square.py), Entry("bob.tar.gz/lab/square.py", /tmp/cloze-x/3/square.py)], …)

Links below DIRECTORY/STUDENT are not followed: what they lead to is not the student's.
"""

import contextlib
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clozekit.classroom import archives
from clozekit.classroom.archives import Box, Refused, Share
from clozekit.classroom.handed import IGNORED, Entry, ignored, packed, readable
from clozekit.errors import ClozeError, NotFound, unreadable
from clozekit.report import Problem

DEPTH = 3  # archives in archives: a class of students of which one has packed his archive once more


class Tree(NamedTuple):
    """Files and folders, by names that are below one root.

    name: of the directory, or of the archive without its suffix. packed: it is an archive. repositories: folders with a .git,
    and where that is; None in an archive, from which none is taken.
    """

    name: str
    packed: bool
    entries: list[Entry]
    folders: set[str]
    repositories: dict[str, Path | None]

    def tops(self) -> set[str]:
        """The first part of every name."""
        return {name.partition("/")[0] for name in [*self.folders, *(entry.name for entry in self.entries)]}

    def below(self, folder: str) -> "Tree":
        """The tree of which a folder is the root."""
        start = f"{folder}/"
        entries = [e._replace(name=e.name.removeprefix(start)) for e in self.entries if e.name.startswith(start)]
        folders = {name.removeprefix(start) for name in self.folders if name.startswith(start)}
        gits = {name.removeprefix(start): git for name, git in self.repositories.items() if name.startswith(start)}
        return Tree(folder.rpartition("/")[2], self.packed, entries, folders, gits)


@contextlib.contextmanager
def opened(source: Path, out: Path) -> Iterator[Tree]:
    """What `source` holds. What is unpacked for it lies in a private directory, which is gone afterwards.

    out: where results go; it may be inside, and nothing in it was handed in.

    Raises:
        NotFound: there is no such thing.
        ClozeError: it cannot be read, or is an archive that cannot be unpacked.
    """
    with tempfile.TemporaryDirectory(prefix="cloze-") as place:
        box = Box(Path(place))
        if source.is_dir():
            tree = _walked(source, out)
        elif source.exists():
            tree = _unpacked(source, box)
        else:
            raise NotFound(
                f"{source} does not exist; give the directory that holds STUDENT/TRACK/NAME.py, or an archive"
            )
        yield _with_inner(tree, box)


def _walked(root: Path, out: Path) -> Tree:
    tree = Tree(readable(root.absolute().name), False, [], set(), {})
    try:
        entries = list(root.iterdir())
    except OSError as error:
        raise unreadable(root, error) from None
    for entry in entries:
        name = readable(entry.name)
        if name.startswith(IGNORED) or os.path.realpath(entry) == os.path.realpath(out):
            continue
        if entry.is_dir():
            _walk(entry, name, tree)
        else:
            tree.entries.append(Entry(name, Path(os.path.realpath(entry))))
    return tree


def _walk(home: Path, student: str, tree: Tree) -> None:
    """Everything below one folder of the root, which itself may be a link of the teacher's."""
    refused: list[OSError] = []
    for place, folders, files in os.walk(home, onerror=refused.append):
        below = readable(os.path.relpath(place, home))
        start = student if below == "." else f"{student}/{below}"
        tree.folders.add(start)
        if ".git" in folders:
            tree.repositories[start] = Path(place, ".git")
        links = {name for name in folders if os.path.islink(os.path.join(place, name))}
        folders[:] = [name for name in folders if name not in links and not ignored(name)]
        for name in [*files, *links]:
            if not name.startswith(IGNORED):
                file, path = f"{start}/{readable(name)}", Path(place, name)
                problem = Problem("link", {"file": file.partition("/")[2]}) if path.is_symlink() else None
                tree.entries.append(Entry(file, path, problem))
    for error in refused:
        file = f"{student}/{readable(os.path.relpath(error.filename, home))}"
        tree.entries.append(Entry(file, None, Problem("unreadable", {"reason": str(error.strerror)})))


def _unpacked(source: Path, box: Box) -> Tree:
    try:
        found = archives.unpack(Path(os.path.realpath(source)), source.name, box, archives.whole())
    except Refused as refused:
        raise ClozeError(f"{source} cannot be unpacked: {refused}; unpack it, and give the directory") from None
    except OSError as error:
        raise unreadable(source, error) from None
    gits: dict[str, Path | None] = dict.fromkeys(found.repositories)
    return Tree(archives.stem(source.name), True, found.entries, found.folders, gits)


def _with_inner(tree: Tree, box: Box) -> Tree:
    """The same with every archive in it opened, its name becoming a folder. One that is refused becomes a line."""
    sole = len(tree.tops()) == 1
    shares: dict[str, Share] = defaultdict(archives.of_student)
    entries, folders, gits = [], set(tree.folders), dict(tree.repositories)
    waiting = [(entry, 1) for entry in tree.entries]
    while waiting:
        entry, depth = waiting.pop()
        if not packed(entry.name) or entry.problem or not entry.path:
            entries.append(entry)
            continue
        share = shares["/".join(entry.name.split("/")[: 2 if sole else 1])]
        try:
            if depth > DEPTH:
                raise Refused(f"it lies in more than {DEPTH} others")
            found = archives.unpack(entry.path, entry.name, box, share)
        except (Refused, OSError) as error:
            reason = str(error.strerror if isinstance(error, OSError) else error)
            file = entry.name.rpartition("/")[2]
            entries.append(entry._replace(problem=Problem("archive", {"file": file, "reason": reason})))
            continue
        folders |= {entry.name, *(f"{entry.name}/{folder}" for folder in found.folders)}
        gits |= {f"{entry.name}/{folder}".rstrip("/"): None for folder in found.repositories}
        waiting += [(inner._replace(name=f"{entry.name}/{inner.name}"), depth + 1) for inner in found.entries]
    return tree._replace(entries=_once(entries), folders=folders, repositories=gits)


def _once(entries: list[Entry]) -> list[Entry]:
    """In order; of several with one name none is taken, as nobody can say which is meant."""
    count = Counter(entry.name for entry in entries)
    told: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        if count[entry.name] > 1:
            entry = entry._replace(problem=Problem("duplicate", {"file": entry.name.rpartition("/")[2]}))
        if not told or told[-1].name != entry.name:
            told.append(entry)
    return told
