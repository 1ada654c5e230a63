"""Cut the marked answers out of a solution, and put other answers in.

    # BLANK normalise       opens a blank; its prompt is blanks.normalise in the .toml
    y = wide / rms          the answer: only solutions/ has it
    # END                   closes it, at the same indent

`guided` empties the blanks, `scratch` empties every body, `reveal` shows the answers, `fill` replaces one (a mistake is
another answer to a blank).
"""

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from clozekit import syntax
from clozekit.errors import ContentError

MARKER = re.compile(r"#\s*(BLANK|END)\b\s*(.*)")


class Blank(NamedTuple):
    """One marked answer. `first` and `last` are the 1-based lines of its two markers."""

    name: str
    indent: str
    first: int
    last: int


@lru_cache(64)
def find(source: str) -> tuple[Blank, ...]:
    """All blanks, in order. Only comments mark: what stands in a string is text.

    Raises:
        ContentError: a marker without partner, nested, unnamed, empty, named twice, beside code or at another indent;
            names the line.
    """
    blanks: list[Blank] = []
    opened: Blank | None = None
    for number, indent, kind, name in _markers(source):
        if indent.strip():
            raise ContentError(f"line {number}: `# {kind}` stands beside code; give it a line of its own")
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
        elif name not in ("", opened.name):
            raise ContentError(f"line {number}: `# END {name}`, but the open blank is `{opened.name}`; write `# END`")
        elif indent != opened.indent:
            raise ContentError(f"line {number}: `# END` must stand at the indent of `# BLANK` in line {opened.first}")
        elif not "".join(_lines(source)[opened.first : number - 1]).strip():
            raise ContentError(f"line {number}: blank `{opened.name}` holds no answer")
        else:
            blanks.append(opened._replace(last=number))
            opened = None
    if opened:
        raise ContentError(f"line {opened.first}: blank `{opened.name}` is never closed by `# END`")
    return tuple(blanks)


def _markers(source: str) -> Iterator[tuple[int, str, str, str]]:
    """Line, what stands before it there, kind and name of every marker.

    Raises:
        ContentError: not Python; names the line.
    """
    lines = _lines(source)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and (marker := MARKER.fullmatch(token.string.rstrip())):
                number, column = token.start
                yield number, lines[number - 1][:column], marker[1], marker[2]
    except (tokenize.TokenError, SyntaxError) as error:
        _tree(source)  # says it better
        raise ContentError(f"not Python: {error}") from None


def _lines(source: str) -> list[str]:
    """The lines as Python counts them, ends kept: a form feed or U+2028 ends none."""
    return io.StringIO(source).readlines()


def _tree(source: str) -> ast.Module:
    try:
        return syntax.parse(source)
    except SyntaxError as error:
        raise ContentError(f"line {error.lineno}: {error.msg}") from None
    except (MemoryError, RecursionError):
        raise ContentError("an expression is nested too deeply; split it") from None


def replace(source: str, answers: Mapping[str, str]) -> str:
    """Put `answers` (dedented code) in the place of the blanks they name; of the others drop the markers only."""
    lines = _lines(source)
    for blank in reversed(find(source)):
        answer = lines[blank.first : blank.last - 1]
        if blank.name in answers:
            answer = [_indented(answers[blank.name], blank.indent)]
        lines[blank.first - 1 : blank.last] = answer
    return "".join(lines)


def _indented(code: str, indent: str) -> str:
    """Whole lines, the last one ended."""
    return textwrap.indent(code.removesuffix("\n") + "\n", indent)


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

    `todo` is the first line of a prompt in the learner's language, with fields `lines`, `s` (a plural) and `prompt`.

    Raises:
        ContentError: a blank has no prompt.
    """

    def stub(blank: Blank) -> str:
        if blank.name not in prompts:
            raise ContentError(
                f"blank `{blank.name}` (line {blank.first}) has no prompt; add it under [en.blanks] and [zh.blanks]"
            )
        lines = blank.last - blank.first - 1
        text = todo.format(lines=lines, s="" if lines == 1 else "s", prompt=prompts[blank.name])
        comment = "".join(f"# {line}\n" for line in text.splitlines())
        return f'{comment}raise NotImplementedError("{blank.name}")\n'

    return replace(source, {blank.name: stub(blank) for blank in find(source)})


def scratch(source: str, entries: Mapping[str, list[str]], todo: str) -> str:
    """The starter for writing it all: entry points with signature and docstring, every body empty, helpers gone.

    `entries` maps each function to [] and each class to its methods (`__init__` among them).
    """
    source = reveal(source)
    lines = _lines(source)
    tree = _tree(source)

    def text(first: int, last: int) -> str:
        return "".join(lines[first - 1 : last])

    def head(node: ast.FunctionDef | ast.ClassDef) -> str:
        """Everything above the body: decorators, signature, docstring."""
        body = node.body[0]
        if lines[body.lineno - 1].encode()[: body.col_offset].strip():
            raise ContentError(
                f"line {node.lineno}: `{node.name}` is written on one line; give its body a line of its own"
            )
        above = _first_line(body) - 1
        if ast.get_docstring(node, clean=False) is not None:
            above = body.end_lineno or above
        else:
            while not lines[above - 1].partition("#")[0].strip():  # comments above the first statement are body
                above -= 1
        return text(_first_line(node), above)

    def emptied(node: ast.FunctionDef | ast.ClassDef, label: str) -> str:
        body = node.body[0]
        above = head(node)
        indent = lines[body.lineno - 1][: body.col_offset]
        return f'{above}{indent}# {todo}\n{indent}raise NotImplementedError("{label}")\n'

    parts = [text(1, _header_end(tree)).strip() + "\n"]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in entries:
            parts.append(emptied(node, node.name))
        elif isinstance(node, ast.ClassDef) and node.name in entries:
            methods = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name in entries[node.name]]
            bodies = [emptied(method, f"{node.name}.{method.name}") for method in methods]
            parts.append(head(node) + "\n" + "\n".join(bodies) if bodies else emptied(node, node.name))
    return "\n\n".join(parts)


def _first_line(node: ast.stmt) -> int:
    """The line of a statement or, if it has any, of its first decorator."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


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
    """Put another `definition` (dedented source) in the place of the function called `name`; decorators stay."""
    source = reveal(source)
    for found, node in functions(_tree(source)):
        if found == name:
            lines = _lines(source)
            indent = lines[node.lineno - 1][: node.col_offset]
            lines[node.lineno - 1 : node.end_lineno] = [_indented(definition, indent)]
            return "".join(lines)
    raise ContentError(f"the solution defines no `{name}`")
