"""A course pack, composed and audited in memory, then written: what a class gets of a course, see `pack`.

    released = compose(engine, catalog, Syllabus(title="LLM systems"), ["normalization/rms_norm"], tell)
    write(Path("pack"), released)            pack/cloze-pack.json, pack/cases/normalization/rms_norm.cases, …
    released_zip(released, "pack")           the same as the bytes of an archive

The same course, kit and packages make the same bytes: the cases are drawn from a seed that everybody knows. What a class is
graded with is drawn from another one.
"""

import io
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from clozekit import __version__, files
from clozekit.catalog import Catalog, Contents, Track, contents, index_of
from clozekit.classroom import audit
from clozekit.classroom.syllabus import Syllabus
from clozekit.engine import Engine
from clozekit.errors import ClozeError, ContentError
from clozekit.exercise import LANGUAGES, Exercise, Sheet, Words
from clozekit.pack import MANIFEST, SCHEMA, Level, Manifest, Pack, cases_path, digest, starter_path, versions
from clozekit.typed_toml import as_toml

SEED = 0
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every entry of an archive

Files = dict[str, bytes]  # by path in the pack


class Released(NamedTuple):
    """One exercise of a pack. secrets: what was looked for in its files, in vain. asserting: tests of which a part is lost."""

    sheet: Sheet
    files: Files
    visible: int
    hidden: int
    secrets: list[audit.Secret]
    asserting: list[str]


def compose(
    engine: Engine, catalog: Catalog, syllabus: Syllabus, ids: Iterable[str], tell: Callable[[str, Released], None]
) -> Files:
    """All files of a pack. `tell` hears of each exercise once it is done.

    Raises:
        ContentError: an exercise cannot be recorded, or its files would tell a secret.
    """
    levels: tuple[Level, ...] = ("guided", "scratch") if syllabus.level == "guided" else ("scratch",)
    made: dict[str, Released] = {}
    for id in ids:
        made[id] = release(engine, catalog[id], levels)
        tell(id, made[id])
    table = contents_of(catalog, made)
    index = msgspec.json.encode(index_of(table, lambda id: made[id].sheet))
    found = {
        "exercises/contents.toml": as_toml(table).encode(),
        "exercises/index.json": msgspec.json.format(index, indent=1) + b"\n",
    }
    for each in made.values():
        _look_through(each.secrets, {file: content.decode() for file, content in found.items()})
    for each in made.values():
        found |= each.files
    digests = {path: digest(content) for path, content in sorted(found.items())}
    manifest = Manifest(SCHEMA, syllabus.title, levels, __version__, versions(), digests)
    return {MANIFEST: msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"} | found


def release(engine: Engine, exercise: Exercise, levels: Iterable[str]) -> Released:
    """What a class gets of one exercise.

    Raises:
        ContentError: it cannot be recorded, or would tell a secret.
    """
    if exercise.pack:
        raise exercise.pack.no_answers(exercise.id)
    cases, raw = engine.record(exercise)
    visible = {case.name for case in cases if not case.hidden}
    sheet = _packed(exercise.sheet, visible)
    starters = {
        starter_path(exercise.id, level, language).as_posix(): exercise.starter(level, language)
        for level in levels
        for language in LANGUAGES
    }
    words, recorded = f"exercises/{exercise.id}.toml", cases_path(exercise.id).as_posix()
    known = list(audit.secrets(exercise, cases))
    said = "\n".join(_strings(msgspec.to_builtins(sheet)))
    _look_through(known, {words: said, **starters, recorded: raw.decode("utf-8", "replace")})
    made = {words: as_toml(sheet).encode(), **{file: text.encode() for file, text in starters.items()}, recorded: raw}
    return Released(sheet, made, len(visible), len(cases) - len(visible), known, audit.asserting(exercise))


def _look_through(known: list[audit.Secret], texts: Mapping[str, str]) -> None:
    for file, text in texts.items():
        if found := audit.leak(known, file, text):
            raise ContentError(f"{found}; nothing was written. Say it in other words, or take it out of the course")


def _packed(sheet: Sheet, visible: set[str]) -> Sheet:
    """The words and rules of an exercise without what would give answers away."""

    def words(all: Words) -> Words:
        titles = {name: title for name, title in all.cases.items() if name in visible}
        return replace(all, blanks={}, mistakes={}, cases=titles)

    return replace(sheet, en=words(sheet.en), zh=words(sheet.zh), equivalent={})


def _strings(value: Any) -> Iterator[str]:
    """Every text in it, keys included."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


def contents_of(catalog: Catalog, ids: Collection[str]) -> Contents:
    """The table of contents of these exercises alone."""
    tracks: dict[str, Track] = {}
    for exercise in catalog:
        if exercise.id in ids:
            track = next(each for each in contents(exercise.root).track if each.name == exercise.track)
            kept = tracks.setdefault(track.name, replace(track, exercises={}))
            place = track.exercises[exercise.name]
            kept.exercises[exercise.name] = replace(place, after=[id for id in place.after if id in ids])
    used = {goal for track in tracks.values() for place in track.exercises.values() for goal in place.goals}
    return Contents(list(tracks.values()), {name: title for name, title in catalog.goals().items() if name in used})


def write(folder: Path, made: Mapping[str, bytes]) -> None:
    """Write a pack into an empty directory, or over an earlier one. Its manifest comes last.

    Raises:
        ClozeError: the directory holds what no release has written.
    """
    before = Pack.at(folder)
    ours = {MANIFEST, *before.manifest.files} if before else set()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and not name.startswith(".") and name not in ours:
            raise ClozeError(
                f"{path} is not part of a release; give an empty directory, so that a class gets nothing else"
            )
    for name, content in reversed(list(made.items())):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.put(path, content)
    for name in sorted(ours - made.keys()):
        (folder / name).unlink(missing_ok=True)


def released_zip(made: Mapping[str, bytes], name: str) -> bytes:
    """The pack as an archive that unpacks into a directory of this name."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(made.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", EPOCH)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return raw.getvalue()
