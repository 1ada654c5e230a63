"""A course pack: the content root that `cloze release` writes for a class, without solutions, graders and hidden cases.

pack/
  cloze-pack.json                                   what it was made of, and a digest of every other file
  exercises/contents.toml  exercises/index.json     the exercises of the course
  exercises/normalization/rms_norm.toml             words and rules; of mistakes, blanks and hidden cases nothing
  starters/normalization/rms_norm.guided.en.py      what a learner opens, at each level that the course gives
  cases/normalization/rms_norm.cases                the visible cases with the answers that they expect, see grading/tape.py

A digest shows that a file is not the one that was released, be it by accident. It is no signature: who changes both goes unseen.
"""

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from clozekit.errors import ClozeError, NotFound
from clozekit.report import Problem

MANIFEST = "cloze-pack.json"  # a name that no other program gives a file of a content root
SCHEMA = 1
COUNTED_BY = ("torch", "triton")  # what the costs of a call depend on
Level = Literal["guided", "scratch"]


class Manifest(Struct, forbid_unknown_fields=True, frozen=True):
    """cloze-pack.json. versions: of the packages in COUNTED_BY. files: the SHA-256 of each, by its path in the pack."""

    schema: int
    title: str
    levels: tuple[Level, ...]
    kit: str
    versions: dict[str, str]
    files: dict[str, str]


class Pack:
    """A pack that was found."""

    def __init__(self, root: Path, manifest: Manifest):
        self.root, self.manifest = root, manifest

    @classmethod
    def at(cls, root: Path) -> "Pack | None":
        """The pack in this directory; None if it is a content root of another kind.

        Raises:
            ClozeError: its manifest cannot be read, or is that of a later kit.
        """
        path = root / MANIFEST
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except msgspec.DecodeError as error:
            raise ClozeError(Problem("pack-damaged", {"path": str(path), "reason": str(error)})) from None
        if manifest.schema != SCHEMA:
            raise ClozeError(Problem("pack-newer", {"path": str(path), "kit": manifest.kit}))
        return cls(root, manifest)

    def read(self, path: Path) -> bytes:
        """One file, as it was released.

        Raises:
            NotFound: it is not part of the pack, or is gone.
            ClozeError: it was changed, or is not whole.
        """
        wanted = self.manifest.files.get(path.relative_to(self.root).as_posix())
        try:
            content = path.read_bytes() if wanted else None
        except FileNotFoundError:
            content = None
        if content is None:
            raise NotFound(Problem("pack-lacks", {"path": str(path)}))
        if digest(content) != wanted:
            raise ClozeError(Problem("pack-changed", {"path": str(path)}))
        return content

    def starter(self, id: str, level: str, language: str) -> str:
        """The code of a starter.

        Raises:
            ClozeError: the course does not give it at this level, or the file is not what was released.
        """
        if level not in self.manifest.levels:
            raise ClozeError(
                Problem("pack-level", {"id": id, "level": level, "levels": ", ".join(self.manifest.levels)})
            )
        return self.read(self.root / starter_path(id, level, language)).decode()

    def no_answers(self, id: str) -> ClozeError:
        """What to say to whoever asks for a solution or a grader."""
        return ClozeError(Problem("pack-no-answers", {"id": id, "path": str(self.root)}))


def versions() -> dict[str, str]:
    """Those of this machine. A build for another device counts alike: 2.13.0+cpu is 2.13.0."""
    found = {}
    for package in COUNTED_BY:
        try:
            found[package] = metadata.version(package).partition("+")[0]
        except metadata.PackageNotFoundError:
            found[package] = ""
    return found


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def starter_path(id: str, level: str, language: str) -> Path:
    return Path("starters") / f"{id}.{level}.{language}.py"


def cases_path(id: str) -> Path:
    return Path("cases") / f"{id}.cases"
