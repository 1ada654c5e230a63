"""A learner's file, read once as bytes: what is analysed here is what runs.

    Upload("rms_norm.py", b"\\xef\\xbb\\xbfimport torch\\r\\n...")        as it came
    Submission("rms_norm.py", "import torch\\n...", <ast>)          parsed, in a process that may be hurt by it

`if __name__ == "__main__":` is dropped: what a demo there does is nobody's business.
"""

import ast
import codecs
import errno
import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clozekit import syntax
from clozekit.report import Problem

LIMIT = 1 << 20  # bytes of source
NOTEBOOK_LIMIT = 256 << 20  # bytes of a notebook, most of which its outputs take
WIDTH = 100  # characters of a line that are shown on either side of a syntax error
COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
BLANK = re.compile(rb"[ \t\f]*(#.*)?")  # only below such a line may a second one declare an encoding
UTF8 = re.compile(r"utf[-_]?8([-_].*)?|(us[-_])?ascii")  # ASCII is UTF-8 as well


class Unreadable(Exception):
    """The file cannot be taken as a submission; `problem` says why, for the learner."""

    def __init__(self, problem: Problem):
        super().__init__(problem.kind)
        self.problem = problem


@dataclass(frozen=True)
class Upload:
    """A file that nobody has looked into yet, or one cell of a notebook: see `Report.cell`.

    saved: when the file was, so that a grading which ends after the bell of an interview is not late by that.
    """

    name: str
    raw: bytes
    cell: str = ""
    saved: datetime | None = None


@dataclass(frozen=True)
class Submission:
    """Source as it will run. Lines and columns of the tree are those of the learner's file, in characters."""

    name: str
    source: str
    tree: ast.Module


def read(path: Path, links: bool = True) -> Upload:
    """Read a learner's file; of one that is too large only as much as shows that.

    links: whether the path itself may be a symbolic link.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as usual; the caller says what to do.
        OSError: not a file, but a pipe, a device, or a link.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW)  # a pipe must not make us wait
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.ENXIO, "not a regular file", str(path))
        limit = NOTEBOOK_LIMIT if path.suffix == ".ipynb" else LIMIT
        return Upload(path.name, file.read(limit + 1), saved=datetime.fromtimestamp(found.st_mtime, UTC))


def parse(raw: bytes, name: str) -> Submission:
    """Take the bytes of a file as a submission.

    Raises:
        Unreadable: empty, too large, binary, not UTF-8, or not Python.
    """
    if len(raw) > LIMIT:
        raise Unreadable(Problem("too-large", {"limit": str(LIMIT)}))
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(Problem("not-utf8", {"place": "byte 0"}))
    if b"\0" in raw:
        raise Unreadable(Problem("binary", {}))
    if (cookie := _cookie(raw)) and not UTF8.fullmatch(cookie.lower()):
        raise Unreadable(Problem("cookie", {"cookie": cookie}))
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable(Problem("not-utf8", {"place": f"line {line}"})) from None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if not source.strip():
        raise Unreadable(Problem("empty", {}))
    try:
        tree = syntax.parse(source, name)
    except SyntaxError as error:
        raise Unreadable(_syntax_problem(error, source)) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise Unreadable(Problem("unparsable", {"reason": type(error).__name__})) from None
    lines = source.split("\n")
    _count_characters(tree, lines)
    for node in [node for node in tree.body if _is_main_guard(node)]:
        tree.body.remove(node)
        last = node.end_lineno or node.lineno
        lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)  # what stands below keeps its line number
    return Submission(name, "\n".join(lines), tree)


def _count_characters(tree: ast.Module, lines: list[str]) -> None:
    """Python counts columns in UTF-8 bytes; people do not."""
    wide = {number: line.encode() for number, line in enumerate(lines, 1) if not line.isascii()}
    for node in ast.walk(tree) if wide else ():
        if raw := wide.get(getattr(node, "lineno", 0)):
            node.col_offset = len(raw[: node.col_offset].decode())  # type: ignore[attr-defined]


def _cookie(raw: bytes) -> str:
    """The encoding that the first two lines declare, as Python finds it; "" if none."""
    for line in raw.splitlines()[:2]:
        if cookie := COOKIE.match(line):
            return cookie[1].decode()
        if not BLANK.fullmatch(line):
            break
    return ""


def _syntax_problem(error: SyntaxError, source: str) -> Problem:
    """The line with a caret under the place, as Python itself would show it."""
    line = error.lineno or 1
    lines = source.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    at = max((error.offset or 1) - 1, 0)
    if error.text is not None and error.text.rstrip("\n") != text:  # Python points into a piece of an f-string
        at = max(text.find(error.text.strip("()\n")), 0)
    start = max(0, at - WIDTH)  # of a very long line the part around the place
    text = "".join(c if c == "\t" or c.isprintable() else "\ufffd" for c in text)[start : at + WIDTH]
    caret = "".join(_blank(c) for c in text[: at - start]) + "^"
    code = f"    {text}\n    {caret}"
    if text.lstrip().startswith(("%", "!")):
        return Problem("magic", {"line": str(line), "code": code})
    return Problem("syntax", {"line": str(line), "reason": error.msg, "code": code})


def _blank(character: str) -> str:
    """White space as wide as a character is in a terminal."""
    if character == "\t":
        return "\t"
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def _is_main_guard(node: ast.stmt) -> bool:
    """if __name__ == "__main__": without an else, which would run."""
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and not node.orelse):
        return False
    sides = [node.test.left, *node.test.comparators]
    named = [isinstance(side, ast.Name) and side.id == "__name__" for side in sides]
    main = [isinstance(side, ast.Constant) and side.value == "__main__" for side in sides]
    return len(sides) == 2 and any(named) and any(main) and isinstance(node.test.ops[0], ast.Eq)
