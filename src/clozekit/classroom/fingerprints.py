"""The fingerprints of a file: what stays of its statements when names, comments, layout and order are gone.

    y = x * torch.rsqrt(x.pow(2).mean(-1) + eps)  # [..., d]   ->   V = V * V . rsqrt V . pow 2 . mean - 1 + V
                                                                    of which every six tokens in a row are one

The text is split into tokens and never parsed: what is no Python, is nested without end or was padded to a megabyte costs no more
than its length.
"""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

GRAM = 6  # tokens
LONGEST = 8000  # tokens of a file that are looked at; no exercise needs a fifth of them
KNOWN = {*dir(builtins), *keyword.kwlist}
# Each alternative takes what it has begun, whether or not that ends: no text is gone over twice.
TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]*+ )
    | (?P<joined> \\\n )
    | (?P<end> [\n;] )
    | (?P<string> (?i:[rbfu]{0,2}) (?:
          \"{3} (?: [^"\\] | \\. | "(?!"") )*+ (?:\"{3})? | '{3} (?: [^'\\] | \\. | '(?!'') )*+ (?:'{3})?
        | " (?: [^"\\\n] | \\. )*+ "? | ' (?: [^'\\\n] | \\. )*+ '? ) )
    | (?P<name> [^\W\d]\w*+ )
    | (?P<number> \.?\d[\w.]*+ )
    | (?P<sign> \*\*=? | //=? | <<=? | >>=? | -> | [-+*/%@&|^=<>!:]= | [^\s\\] )
    """,
    re.X | re.S,
)
DEFINED = re.compile(r"\b(?:def|class)[ \t]++(\w++)|\.(\w++)[ \t]*+=(?!=)")


class Token(NamedTuple):
    """A token as it is compared, and where it stands in the text."""

    text: str
    start: int
    stop: int


class Prints(NamedTuple):
    """The fingerprints of a text, each with the places that it comes from. cut: only the beginning was looked at."""

    places: dict[str, list[tuple[int, int]]]
    cut: bool = False


def fingerprints(text: str) -> Prints:
    """Every GRAM tokens in a row of one statement; of a shorter one all. The order of statements leaves no trace."""
    places: dict[str, list[tuple[int, int]]] = {}
    seen = 0
    for statement in statements(text):
        seen += len(statement)
        for first in range(max(1, len(statement) - GRAM + 1)):
            run = statement[first : first + GRAM]
            places.setdefault(" ".join(token.text for token in run), []).append((run[0].start, run[-1].stop))
        if seen >= LONGEST:
            return Prints(places, cut=True)
    return Prints(places)


def statements(text: str) -> Iterator[list[Token]]:
    """The logical lines that tell something: no imports, no docstrings.

    A name is the library's, and kept, where it is a builtin or stands behind a dot, unless the file itself defines it.
    Round brackets go, as they may stand or not; so does the comma of what is laid out one a line.
    """
    own = {name for pair in DEFINED.findall(text) for name in pair if name}
    line: list[Token] = []
    depth, before = 0, ""
    for found in TOKEN.finditer(text):
        kind, word = found.lastgroup, unicodedata.normalize("NFKC", found[0]) if found.lastgroup == "name" else found[0]
        if (kind == "end" and (depth == 0 or word == ";")) or len(line) == LONGEST:
            yield from _telling(line)
            line, depth, before = [], 0, ""
        if kind in ("comment", "joined", "end"):
            continue
        if word in ("(", "[", "{"):
            depth += 1
        elif word in (")", "]", "}"):
            depth = max(0, depth - 1)
            if line and line[-1].text == ",":
                line.pop()
        if kind == "string":
            line.append(Token("S", *found.span()))
        elif kind == "name" and word not in KNOWN and (before != "." or word in own):
            line.append(Token("V", *found.span()))
        elif word not in ("(", ")"):
            line.append(Token(word, *found.span()))
        before = word
    yield from _telling(line)


def _telling(line: list[Token]) -> Iterator[list[Token]]:
    if len(line) > 2 and line[0].text not in ("import", "from"):
        yield line
