"""A learner's file, read once as bytes: what is analysed here is what runs.

    b"\\xef\\xbb\\xbfimport torch\\r\\n..."  ->  Submission(source="import torch\\n...", tree=<ast>, name="rms_norm.py")

`if __name__ == "__main__":` is dropped: what a demo there does is nobody's business.
"""

import ast
import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from clozekit.report import Problem

LIMIT = 1 << 20  # bytes of source
COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
UTF8 = {"utf-8", "utf8", "utf_8", "utf-8-sig"}


class Unreadable(Exception):
    """The file cannot be taken as a submission; `problem` says why, for the learner."""

    def __init__(self, problem: Problem):
        super().__init__(problem.kind)
        self.problem = problem


@dataclass(frozen=True)
class Submission:
    """Source as it will run. Line numbers are those of the learner's file."""

    name: str
    source: str
    tree: ast.Module


def read(path: Path) -> Submission:
    """Read and parse a learner's file.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as usual; the caller says what to do.
        Unreadable: empty, too large, binary, not UTF-8, or not Python.
    """
    return parse(path.read_bytes(), path.name)


def parse(raw: bytes, name: str) -> Submission:
    """Take the bytes of a file as a submission.

    Raises:
        Unreadable: see `read`.
    """
    if len(raw) > LIMIT:
        raise Unreadable(Problem("too-large", {"size": str(len(raw)), "limit": str(LIMIT)}))
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(Problem("not-utf8", {"place": "byte 0"}))
    if b"\0" in raw:
        raise Unreadable(Problem("binary", {}))
    for line in raw.splitlines()[:2]:
        if (cookie := COOKIE.match(line)) and cookie[1].decode().lower() not in UTF8:
            raise Unreadable(Problem("cookie", {"cookie": cookie[1].decode()}))
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable(Problem("not-utf8", {"place": f"line {line}"})) from None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if not source.strip():
        raise Unreadable(Problem("empty", {}))
    try:
        tree = ast.parse(source, name)
    except SyntaxError as error:
        raise Unreadable(_syntax_problem(error, source)) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise Unreadable(Problem("unparsable", {"reason": type(error).__name__})) from None
    for node in [node for node in tree.body if _is_main_guard(node)]:
        tree.body.remove(node)
    return Submission(name, _blank_out_main(source), tree)


def _syntax_problem(error: SyntaxError, source: str) -> Problem:
    """The line with a caret under the place, as Python itself would show it."""
    line = error.lineno or 1
    lines = source.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    column = max((error.offset or 1) - 1, 0)
    caret = "".join("\t" if c == "\t" else " " for c in text[:column]) + "^"
    return Problem("syntax", {"line": str(line), "reason": error.msg, "code": f"    {text}\n    {caret}"})


def _is_main_guard(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and ast.unparse(node.test).replace('"', "'") in ("__name__ == '__main__'", "'__main__' == __name__")
    )


def _blank_out_main(source: str) -> str:
    """Empty the lines of the guard; what stands below keeps its line number."""
    lines = source.split("\n")
    for node in ast.parse(source).body:
        if _is_main_guard(node):
            assert node.end_lineno is not None
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines)
