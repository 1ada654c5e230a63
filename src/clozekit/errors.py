"""Errors that a user can act on: the command line prints their text and leaves with status 2, never with a traceback.

NotFound(Problem("no-file", {"path": "rms_norm.py"}))     a learner can meet it: told in both languages
ContentError("exercises/contents.toml: not TOML: ...")    only who writes exercises or runs a class can: in English
"""

from pathlib import Path

from clozekit.describe import describe
from clozekit.report import Problem


class ClozeError(Exception):
    """Something the user gave us is wrong. The text names the thing, the place and the next command."""

    def __init__(self, what: str | Problem):
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """In the learner's language, where a learner can meet it."""
        return describe(self.what, language) if isinstance(self.what, Problem) else self.what


class NotFound(ClozeError):
    """A file, an exercise or a command that does not exist; the text offers the nearest one."""


def unreadable(path: Path, error: OSError) -> ClozeError:
    """A file of the learner's that cannot be read; why, in the words of the system."""
    if isinstance(error, FileNotFoundError):
        return NotFound(Problem("no-file", {"path": str(path)}))
    return ClozeError(Problem("cannot-read", {"path": str(path), "reason": str(error.strerror)}))


class ContentError(ClozeError):
    """An author's file (TOML, solution, grader) breaks a rule; the text names file, key or line, and the fix."""


class CannotCheck(Exception):
    """The machine or the kit failed, not the learner: the verdict becomes "could not check"."""
