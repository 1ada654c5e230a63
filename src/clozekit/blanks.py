"""Cut the marked answers out of a solution, and put other answers in.

    # BLANK normalise       opens a blank; its prompt is blanks.normalise in the .toml
    y = wide / rms          the answer: only solutions/ has it
    # END                   closes it, at the same indent

`guided` empties the blanks, `scratch` empties every body, `reveal` shows the answers, `fill` replaces one (a mistake is
another answer to a blank).
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from clozekit.errors import ContentError

MARKER = re.compile(r"^( *)# (BLANK|END)\b *(.*)$")


class Blank(NamedTuple):
    """One marked answer. `first` and `last` are the 1-based lines of its two markers."""

    name: str
    indent: str
    first: int
    last: int


def find(source: str) -> list[Blank]:
    """All blanks, in order.

    Raises:
        ContentError: a marker without partner, nested, unnamed, empty, named twice or at another indent; names the line.
    """
    blanks: list[Blank] = []
    opened: Blank | None = None
    for number, line in enumerate(source.splitlines(), 1):
        if not (marker := MARKER.match(line)):
            continue
        indent, kind, name = marker.groups()
        if kind == "BLANK":
            if opened:
                raise ContentError(f"line {number}: `# BLANK {name}` inside `{opened.name}`; close that one first")
            if not name.isidentifier():
                raise ContentError(f"line {number}: `# BLANK` needs a name, one identifier; found {name!r}")
            if name in {blank.name for blank in blanks}:
                raise ContentError(f"line {number}: a second blank `{name}`; give each its own name")
            opened = Blank(name, indent, number, number)
        elif opened is None:
            raise ContentError(f"line {number}: `# END` closes nothing; `# BLANK name` is missing above")
        elif indent != opened.indent:
            raise ContentError(f"line {number}: `# END` must stand at the indent of `# BLANK` in line {opened.first}")
        elif number == opened.first + 1:
            raise ContentError(f"line {number}: blank `{opened.name}` holds no answer")
        else:
            blanks.append(opened._replace(last=number))
            opened = None
    if opened:
        raise ContentError(f"line {opened.first}: blank `{opened.name}` is never closed by `# END`")
    return blanks


def replace(source: str, answers: Mapping[str, str]) -> str:
    """Put `answers` (dedented code) in the place of the blanks they name; of the others drop the markers only."""
    lines = source.splitlines(keepends=True)
    for blank in reversed(find(source)):
        answer = lines[blank.first : blank.last - 1]
        if blank.name in answers:
            answer = [textwrap.indent(answers[blank.name], blank.indent)]
        lines[blank.first - 1 : blank.last] = answer
    return "".join(lines)


def reveal(source: str) -> str:
    """The finished file: markers dropped, answers kept."""
    return replace(source, {})


def fill(source: str, name: str, answer: str) -> str:
    """The finished file with another answer in one blank."""
    if name not in {blank.name for blank in find(source)}:
        raise ContentError(f"the solution has no blank `{name}`")
    return replace(source, {name: answer})


def guided(source: str, prompts: Mapping[str, str], todo: str) -> str:
    """The starter: each answer becomes its prompt and a NotImplementedError.

    `todo` is the first line of a prompt in the learner's language, with fields `lines` and `prompt`.

    Raises:
        ContentError: a blank has no prompt.
    """

    def stub(blank: Blank) -> str:
        if blank.name not in prompts:
            raise ContentError(
                f"blank `{blank.name}` (line {blank.first}) has no prompt; add it under [en.blanks] and [zh.blanks]"
            )
        text = todo.format(lines=blank.last - blank.first - 1, prompt=prompts[blank.name])
        comment = "".join(f"# {line}\n" for line in text.splitlines())
        return f'{comment}raise NotImplementedError("{blank.name}")\n'

    return replace(source, {blank.name: stub(blank) for blank in find(source)})


def scratch(source: str, entries: Mapping[str, list[str]], todo: str) -> str:
    """The starter for writing it all: entry points with signature and docstring, every body empty, helpers gone.

    `entries` maps each function to [] and each class to its methods (`__init__` among them).
    """
    source = reveal(source)
    lines = source.splitlines(keepends=True)

    def text(first: int, last: int) -> str:
        return "".join(lines[first - 1 : last])

    def head(node: ast.FunctionDef | ast.ClassDef) -> str:
        """Everything above the body: decorators, signature, docstring."""
        above = node.body[0].end_lineno if ast.get_docstring(node, clean=False) is not None else node.body[0].lineno - 1
        if above is None or above < node.lineno:
            raise ContentError(
                f"line {node.lineno}: `{node.name}` is written on one line; give its body a line of its own"
            )
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return text(first, above)

    def emptied(node: ast.FunctionDef, label: str) -> str:
        indent = " " * (node.col_offset + 4)
        return f'{head(node)}{indent}# {todo}\n{indent}raise NotImplementedError("{label}")\n'

    parts = [text(1, _header_end(ast.parse(source))).strip() + "\n"]
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in entries:
            parts.append(emptied(node, node.name))
        elif isinstance(node, ast.ClassDef) and node.name in entries:
            methods = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name in entries[node.name]]
            bodies = [emptied(method, f"{node.name}.{method.name}") for method in methods]
            parts.append(head(node) + "\n" + "\n".join(bodies))
    return "\n\n".join(parts)


def _header_end(tree: ast.Module) -> int:
    """The last line of the imports that open the file."""
    last = 0
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or (last == 0 and isinstance(node, ast.Expr)):
            last = node.end_lineno or last
        else:
            break
    return last


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a module by dotted name: `rms_norm`, `KVCache.append`."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{m.name}", m) for m in node.body if isinstance(m, ast.FunctionDef))


def rewrite(source: str, name: str, definition: str) -> str:
    """Put another `definition` (dedented source of a function) in the place of the one called `name`; decorators stay."""
    source = reveal(source)
    for found, node in functions(ast.parse(source)):
        if found == name:
            lines = source.splitlines(keepends=True)
            lines[node.lineno - 1 : node.end_lineno] = [textwrap.indent(definition, " " * node.col_offset)]
            return "".join(lines)
    raise ContentError(f"the solution defines no `{name}`")
