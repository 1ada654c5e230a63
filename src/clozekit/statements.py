"""A statement as Markdown: prose is prose, what stands indented is a formula, what stands in columns keeps them.

Scale each vector ...                       Scale each vector ...

    y = x / sqrt(mean(x²) + eps)      ->    $$y = x / \\sqrt{ ... }$$

x       [..., d], float32                       x       [..., d], float32
weight  [d], the dtype of x                     weight  [d], the dtype of x
"""

import re
import textwrap

from clozekit import formulas

INDENT = "    "
COLUMNS = re.compile(r"^ |\S  +\S", re.M)
CODE = re.compile(r"(`[^`\n]+`)")
MEANS = re.compile(r"[\\`*_<>$#~|&]|\](?=\()|^(?:[-+=]|\d+(?=[.)]))", re.M)  # what Markdown would not show as it is


def as_markdown(statement: str) -> str:
    """The whole statement."""
    return "\n\n".join(_part(part) for part in re.split(r"\n(?:[ \t]*\n)+", statement.strip("\n")))


def _part(part: str) -> str:
    lines = part.split("\n")
    if all(line.startswith(INDENT) for line in lines):
        latex = formulas.block(lines)
        return f"$$\n{latex}\n$$" if latex else part
    return textwrap.indent(part, INDENT) if COLUMNS.search(part) else prose(part)


def prose(text: str) -> str:
    """Text that Markdown shows as it stands; code between backticks stays code."""
    pieces = CODE.split(text)
    pieces[::2] = [MEANS.sub(lambda found: _escaped(found[0]), piece) for piece in pieces[::2]]
    return "".join(pieces)


def _escaped(sign: str) -> str:
    return f"{sign}\\" if sign.isdigit() else f"\\{sign}"
