"""How two files of an answer differ, for people: without the statement at their top, which is no part of the answer.

unified(yours, ours)        [[("@@ -1,4 +1,4 @@", "cyan")], [("-    wide = x", "red")], [("+    wide = x.float()", "green")]]
pairs(yours, ours)          [("    wide = x", "    wide = x.float()", "changed"), ("    return wide", "    return wide", "same")]
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from clozekit import syntax
from clozekit.describe import clean

if TYPE_CHECKING:
    from rich.table import Table

Styled = list[tuple[str, str]]  # one line: texts, each with a style of rich
Kind = Literal["same", "changed", "skipped"]
CONTEXT = 3  # lines around a change
STYLES = {"+": "green", "-": "red", "@": "cyan"}


def code(source: str) -> list[str]:
    """The lines below the statement."""
    try:
        body = syntax.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return source.splitlines()
    first = body[0] if body else None
    stated = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    lines = source.splitlines()[first.end_lineno or 0 if first and stated else 0 :]
    while lines and not lines[0].strip():
        del lines[0]
    return lines


def unified(yours: str, ours: str) -> list[Styled]:
    """As `diff -u` writes it, without the names of the files; nothing if only the statements differ."""
    lines = list(difflib.unified_diff(code(yours), code(ours), n=CONTEXT, lineterm=""))[2:]
    return [[(line, STYLES.get(line[:1], ""))] for line in lines]


def pairs(yours: str, ours: str) -> Iterator[tuple[str, str, Kind]]:
    """Line beside line. Far from any change lines are skipped: ("", "", "skipped") stands for them."""
    left, right = code(yours), code(ours)
    groups = difflib.SequenceMatcher(None, left, right, autojunk=False).get_grouped_opcodes(CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield "", "", "skipped"
        for tag, start, end, other_start, other_end in group:
            kind: Kind = "same" if tag == "equal" else "changed"
            beside = zip_longest(left[start:end], right[other_start:other_end], fillvalue="")
            yield from ((mine, other, kind) for mine, other in beside)


def beside(yours: str, ours: str, heads: tuple[str, str]) -> Table:
    """For a rich console, in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, expand=True, padding=(0, 2, 0, 0))
    for head, style in zip(heads, ("bold red", "bold green"), strict=True):
        table.add_column(Text(head), header_style=style, ratio=1, overflow="fold")
    for mine, other, kind in pairs(yours, ours):
        if kind == "skipped":
            table.add_row(Text("⋮", "cyan"), Text("⋮", "cyan"))
        else:
            left, right = ("red", "green") if kind == "changed" else ("", "")
            table.add_row(Text(clean(mine), left), Text(clean(other), right))
    return table


def additions(wrong: str, right: str) -> list[str]:
    """The lines of `wrong` that `right` has nowhere, dedented, without comments: "…" where something lies between them.

    Nothing that is right is among them, however it is laid out.
    """
    known = set(map(str.strip, _canonical(right)))
    found: list[str] = []
    last = 0
    for number, line in enumerate(_canonical(wrong)):
        if line.strip() and line.strip() not in known:
            found += ["…"] if found and number > last + 1 else []
            found.append(line)
            last = number
    indent = min((len(line) - len(line.lstrip()) for line in found if line != "…"), default=0)
    return [line if line == "…" else line[indent:] for line in found]


def _canonical(source: str) -> list[str]:
    """Laid out in one way, without comments."""
    return ast.unparse(syntax.parse(source)).splitlines()
