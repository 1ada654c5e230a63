"""Errors that a user can act on: the command line prints their text and leaves with status 2, never with a traceback."""


class ClozeError(Exception):
    """Something the user gave us is wrong. The text names the thing, the place and the next command."""


class NotFound(ClozeError):
    """A file, an exercise or a command that does not exist; the text offers the nearest one."""


class ContentError(ClozeError):
    """An author's file (TOML, solution, grader) breaks a rule; the text names file, key or line, and the fix."""


class CannotCheck(Exception):
    """The machine or the kit failed, not the learner: the verdict becomes "could not check"."""
