"""All exercises of all content roots, in learning order: exercises/contents.toml is the table of contents.

    [goals]
    attention = { en = "Attention", zh = "注意力" }

    [[track]]
    name = "normalization"
    title = { en = "Normalization", zh = "归一化" }
    [track.exercises]
    rms_norm = { difficulty = 1, minutes = 10, goals = ["attention"], after = [] }

A content root is a directory with exercises/, solutions/, kernels/ and graders/. The kit brings one; `--content DIR`
and CLOZE_CONTENT add a course's own, searched first; a workspace remembers the --content that it was made with.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from clozekit.errors import ContentError, NotFound
from clozekit.exercise import Exercise, Sheet
from clozekit.report import Problem
from clozekit.typed_toml import read_toml


class Title(Struct, forbid_unknown_fields=True, frozen=True):
    """A name in both languages."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Place(Struct, forbid_unknown_fields=True, frozen=True):
    """Where an exercise stands in its track: difficulty from 1 to 5, and the exercises that come before it.

    minutes: what it takes who writes it again from scratch. goals: what a learner may be after whom it helps.
    """

    difficulty: Annotated[int, Meta(ge=1, le=5)]
    minutes: Annotated[int, Meta(ge=1, le=240)] = 20
    goals: list[str] = []
    after: list[str] = []


class Track(Struct, forbid_unknown_fields=True, frozen=True):
    """One [[track]] of contents.toml."""

    name: str
    title: Title
    exercises: dict[str, Place]


class Contents(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole of contents.toml."""

    track: list[Track]
    goals: dict[str, Title] = {}


class Entry(Struct, frozen=True):
    """One line of `cloze list`, as exercises/index.json keeps it."""

    id: str
    track: str
    title: Title
    difficulty: int
    minutes: int
    goals: list[str]
    after: list[str]


class Catalog:
    """The exercises of several content roots; the first root that has an id wins."""

    def __init__(self, roots: Iterable[Path]):
        self.roots = list(roots)

    def __iter__(self) -> Iterator[Exercise]:
        """Every exercise once, in the order of the tables of contents."""
        seen = set()
        for root in self.roots:
            for track in contents(root).track:
                for id in (f"{track.name}/{name}" for name in track.exercises):
                    if id not in seen:
                        seen.add(id)
                        yield Exercise(root, id)

    def __getitem__(self, id: str) -> Exercise:
        """The exercise called `id`.

        Raises:
            NotFound: there is none; the text offers the nearest.
        """
        for root in self.roots:
            if re.fullmatch(r"\w+/\w+", id) and (root / "exercises" / f"{id}.toml").is_file():
                return Exercise(root, id)
        ids = [exercise.id for exercise in self]
        names, wanted = {known.partition("/")[2]: known for known in reversed(ids)}, id.lower()
        named = [names[name] for name in difflib.get_close_matches(wanted.rpartition("/")[2], names, 1, 0.75)]
        near = named or difflib.get_close_matches(wanted, ids, 1, 0.5)
        if near:
            raise NotFound(Problem("no-exercise-near", {"id": repr(id), "near": near[0]}))
        raise NotFound(Problem("no-exercise", {"id": repr(id)}))

    def entries(self) -> list[Entry]:
        """What `cloze list` shows; read from each root's index where that is complete."""
        found: dict[str, Entry] = {}
        for root in self.roots:
            for entry in read_index(root):
                found.setdefault(entry.id, entry)
        return list(found.values())

    def goals(self) -> dict[str, Title]:
        """What a learner may be after, by name: the goals of all roots in their order."""
        return _first_wins(pair for root in self.roots for pair in contents(root).goals.items())

    def tracks(self) -> dict[str, Title]:
        """The title of each track by its name."""
        return _first_wins((track.name, track.title) for root in self.roots for track in contents(root).track)


def _first_wins(pairs: Iterable[tuple[str, Title]]) -> dict[str, Title]:
    found: dict[str, Title] = {}
    for name, title in pairs:
        found.setdefault(name, title)
    return found


def contents(root: Path) -> Contents:
    """The table of contents of one root.

    Raises:
        ContentError: malformed, or it lists an exercise that has no TOML, or leaves one out, or names an unknown goal, or a
            track has two tables.
    """
    path = root / "exercises" / "contents.toml"
    found = read_toml(path, Contents)
    names = [track.name for track in found.track]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ContentError(f"{path}: track `{twice}` has two tables; make them one")
    listed = {f"{track.name}/{name}" for track in found.track for name in track.exercises}
    present = {f"{toml.parent.name}/{toml.stem}" for toml in (root / "exercises").glob("*/*.toml")}
    if missing := sorted(listed - present):
        raise ContentError(f"{path}: lists {missing[0]}, but exercises/{missing[0]}.toml does not exist")
    if unlisted := sorted(present - listed):
        raise ContentError(f"{path}: does not list {unlisted[0]}; add it to its track")
    for number, track in enumerate(found.track):
        for name, place in track.exercises.items():
            if unknown := [goal for goal in place.goals if goal not in found.goals]:
                near = difflib.get_close_matches(unknown[0], found.goals, 1)
                fix = f"did you mean `{near[0]}`?" if near else "add it to [goals], with its title in en and zh"
                raise ContentError(f"{path}: track.{number}.exercises.{name}.goals: unknown goal `{unknown[0]}`; {fix}")
    return found


def make_index(root: Path) -> list[Entry]:
    """The index of one root, from its table of contents and every TOML."""
    return index_of(contents(root), lambda id: Exercise(root, id).sheet)


def index_of(contents: Contents, sheet_of: Callable[[str], Sheet]) -> list[Entry]:
    return [
        Entry(id, track.name, Title(sheet.en.title, sheet.zh.title), *msgspec.structs.astuple(place))
        for track in contents.track
        for name, place in track.exercises.items()
        for id in [f"{track.name}/{name}"]
        for sheet in [sheet_of(id)]
    ]


def read_index(root: Path) -> list[Entry]:
    """The committed index, or a fresh one where it is missing or does not fit the files present."""
    try:
        index = msgspec.json.decode((root / "exercises" / "index.json").read_bytes(), type=list[Entry])
    except (FileNotFoundError, msgspec.DecodeError):
        return make_index(root)
    present = {
        f"{track.name}/{file.name[:-5]}"
        for track in _folders(root)
        for file in os.scandir(track)
        if file.name.endswith(".toml")
    }
    return index if present == {entry.id for entry in index} else make_index(root)


def _folders(root: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in os.scandir(root / "exercises") if entry.is_dir()]


def builtin_root() -> Path:
    """The kit's own content: inside an installed wheel, or the repository that an editable install points to."""
    here = Path(__file__).parent
    packed = here / "content"
    return packed if packed.is_dir() else here.parent.parent


def open_catalog(content: Iterable[Path] = (), made_with: Iterable[Path] = ()) -> Catalog:
    """The catalog of `--content`, CLOZE_CONTENT (directories separated as in PATH), a workspace and the kit, in this order.

    Raises:
        NotFound: a directory without exercises/contents.toml.
    """
    named = [Path(entry) for entry in os.environ.get("CLOZE_CONTENT", "").split(os.pathsep) if entry]
    roots = dict.fromkeys([*(Path(root).resolve() for root in [*content, *named, *made_with]), builtin_root()])
    for root in roots:
        if not is_root(root):
            raise NotFound(Problem("no-content", {"path": str(root)}))
    return Catalog(roots)


def is_root(path: Path) -> bool:
    """Whether a directory has exercises of its own."""
    return (path / "exercises" / "contents.toml").is_file()
