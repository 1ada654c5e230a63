"""Errors that a user can act on: the command line prints their text and leaves with status 2, never with a traceback.

NotFound(Problem("no-file", {"path": "rms_norm.py"}))     a learner can meet it: told in both languages
ContentError("exercises/contents.toml: not TOML: ...")    only who writes exercises or runs a class can: in English
CannotCheck(Problem("ptxas-missing"))                     the machine or the kit failed: status 3

Problem("cannot-read", {"path": "rms_norm.py", **why(error)})     with the reason that another error gives
"""

import errno
import os
from pathlib import Path

from clozekit.describe import describe
from clozekit.report import Problem


class Told(Exception):
    """An error that is told in the learner's language, where a learner can meet it."""

    def __init__(self, what: str | Problem):
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        return describe(self.what, language) if isinstance(self.what, Problem) else self.what


class ClozeError(Told):
    """Something the user gave us is wrong. The text names the thing, the place and the next command."""


class NotFound(ClozeError):
    """A file, an exercise or a command that does not exist; the text offers the nearest one."""


def unreadable(path: Path, error: OSError) -> ClozeError:
    """A file of the learner's that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return NotFound(Problem("no-file", {"path": str(path)}))
    return ClozeError(Problem("cannot-read", {"path": str(path), **why(error)}))


class ContentError(ClozeError):
    """An author's file (TOML, solution, grader) breaks a rule; the text names file, key or line, and the fix."""


class CannotCheck(Told):
    """The machine or the kit failed, not the learner: the verdict becomes "could not check"."""


def why(error: Exception) -> dict[str, str]:
    """Facts for a phrase that gives a reason: {error}, or for one that names the file already, {reason}."""
    if isinstance(error, Told) and isinstance(error.what, Problem):
        return {**error.what.facts, "cause": f"{error.what.kind} {error.what.facts.get('cause', '')}"}
    if isinstance(error, Told):
        return {"error": str(error)}
    if isinstance(error, OSError) and error.errno:
        place = f"{error.filename}: " if isinstance(error.filename, str) else ""  # a descriptor says nothing
        said = {"reason": str(error.strerror), "error": place + str(error.strerror)}  # where we have no word for it
        return {"cause": f"os-{errno.errorcode.get(error.errno)}", "place": place, **said}
    return {"error": f"{type(error).__name__}: {error}".removesuffix(": ")[:500]}


def of_the_system(error: OSError) -> Problem:
    """What no command expected: a disk that is full, a directory that may not be written."""
    if isinstance(error.filename, str) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        directory = next(path for path in Path(error.filename).absolute().parents if path.is_dir())
        if not os.access(directory, os.W_OK):
            return Problem("unwritable", {**why(error), "directory": str(directory)})
    return Problem("system", why(error))
