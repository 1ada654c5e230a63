"""submission_metadata.yml of a Gradescope export: who handed in what, and when.

submission_987:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1815'
    :email: ada@example.edu
  :created_at: 2027-03-01 22:59:00.861687000 Z
  :results: …                  what its own autograder said; not looked at
  :history: …                  times and scores of former submissions, whose files are not in the export
"""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from clozekit.classroom.moments import moment
from clozekit.errors import ClozeError

METADATA = "submission_metadata.yml"
# Everything stays text: a number such as 0042 is somebody's id. The loader in C takes a tenth of the time.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
ADVICE = "download the export again, or say --layout plain"


class Submission(NamedTuple):
    """submitters: of each the number, the address and the name, as far as they are there."""

    submitters: list[tuple[str, ...]]
    created: datetime | None


def submissions(path: Path | None) -> dict[str, Submission]:
    """By the folder in which the files lie. Several who worked together have one.

    Raises:
        ClozeError: it cannot be read as what Gradescope writes.
    """
    try:
        told = yaml.load(path.read_bytes(), LOADER) if path else None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise ClozeError(f"{METADATA} cannot be read ({str(error).partition(chr(10))[0]}); {ADVICE}") from None
    if not isinstance(told, dict):
        raise ClozeError(f"{METADATA} has no submissions; {ADVICE}")
    return {str(folder): _submission(str(folder), each) for folder, each in told.items()}


def _submission(folder: str, told: Any) -> Submission:
    submitters = told.get(":submitters") if isinstance(told, dict) else None
    if not isinstance(submitters, list) or not all(isinstance(each, dict) for each in submitters):
        raise ClozeError(f"{METADATA}: {folder} has no :submitters; {ADVICE}")
    names = [tuple(filter(None, (_text(each.get(key)) for key in (":sid", ":email", ":name")))) for each in submitters]
    return Submission(
        [accounts or (folder,) for accounts in names] or [(folder,)], moment(_text(told.get(":created_at")))
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
