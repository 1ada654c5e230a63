"""An autograder for Gradescope: the zip that a teacher uploads.

setup.sh           the kit into the image, in the versions of the machine that wrote the zip (constraints.txt, requirements.txt)
run_autograder     each submission through `cloze grade`, by assignment.json
content/0/         the course: exercises, hidden graders, solutions; left out where all exercises are the kit's own

Written twice it is the same, byte for byte.
"""

import json
import os
import zipfile
from collections.abc import Iterator
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Literal

from clozekit import __version__
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.phrases import say

FOLDERS = ("exercises", "graders", "kernels", "solutions")
IGNORED = (".", "__pycache__")
PINNED = ("numpy", "pytest", "torch", "triton")


def write(
    path: Path,
    exercises: list[Exercise],
    hidden_cases: Literal["after_published", "hidden"],
    language: str,
    wheel: Path | None = None,
) -> None:
    """Write the zip. wheel: of the kit, where it does not come from a package index.

    Raises:
        OSError: a file of the course, the wheel or the zip.
    """
    roots = list(dict.fromkeys(exercise.root for exercise in exercises if exercise.root != builtin_root()))
    assignment = {
        "exercises": {each.id: say(language, "gradescope-missing", name=each.name, id=each.id) for each in exercises},
        "content": [f"content/{number}" for number in range(len(roots))],
        "hidden_cases": hidden_cases,
        "language": language,
    }
    scripts = files("clozekit.exports") / "autograder"
    draft = path.with_name(f"{path.name}.draft")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", (scripts / "setup.sh").read_bytes(), 0o755)
        _add(archive, "run_autograder", (scripts / "run_autograder.py").read_bytes(), 0o755)
        _add(archive, "assignment.json", json.dumps(assignment, ensure_ascii=False, indent=1).encode())
        _add(archive, "constraints.txt", "".join(f"{name}=={_version(name)}\n" for name in PINNED).encode())
        _add(archive, "requirements.txt", f"{f'./{wheel.name}' if wheel else f'clozekit=={__version__}'}\n".encode())
        if wheel:
            _add(archive, wheel.name, wheel.read_bytes())
        for number, root in enumerate(roots):
            for file in _content(root):
                _add(archive, f"content/{number}/{file.relative_to(root).as_posix()}", file.read_bytes())
    draft.replace(path)


def _content(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for place, folders, names in os.walk(root / folder):
            folders[:] = sorted(name for name in folders if not name.startswith(IGNORED))
            yield from (Path(place, name) for name in sorted(names) if not name.startswith(IGNORED))


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = zipfile.ZipInfo(name)  # of 1980, whenever it is written
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def _version(package: str) -> str:
    """Without what names a build, as 2.13.0+cpu does."""
    return metadata.version(package).partition("+")[0]
