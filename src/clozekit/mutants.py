"""Wrong solutions made by a machine: each mutant is the solution with one small thing changed.

    # BLANK normalise
    rms = torch.sqrt(wide.pow(2).mean(-1, keepdim=True) + eps)      a line of a solution, and some of its mutants:

    normalise | rms = torch.sqrt(wide.pow(2).mean(-1, keepdim=True) {+ -> -} eps)
    normalise | rms = torch.sqrt(wide.pow(2).mean({-1 -> -2}, keepdim=True) + eps)
    normalise | rms = {torch.sqrt ->}(wide.pow(2).mean(-1, keepdim=True) + eps)

A grader that passes a mutant lacks a case, unless the mutant is no mistake (of 8 columns, `x[:8]` and `x[:9]` are the
same). Those an author lists by key, with a reason; so a key holds nothing that moves: no line number, indent, comment.

How it works: `ast` says where an expression lies, `edits` says what to write there instead, the change is made in the
text, so that all around it stays as it was. What is no Python, or reads the same as an earlier one, is dropped.
"""

import ast
import builtins
import io
import math
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from clozekit import blanks, syntax

Node = Any  # an ast.AST: mypy gives positions to some of its kinds only
Edit = tuple[int, int, str]  # bytes [start:end] become the text


def both_ways(pairs: str) -> dict[str, str]:
    """Each side replaces the other."""
    sides = [pair.split() for pair in pairs.split(", ")]
    return dict(sides) | {new: old for old, new in sides}


OPERATORS = both_ways("+ -, * /, // %, << >>, < <=, > >=, == !=, & |, and or") | {"**": "*"}
OPERATORS |= {"is": "is not", "is not": "is", "in": "not in", "not in": "in"}
NAMES = both_ways(
    "max min, amax amin, maximum minimum, argmax argmin, sum mean, any all, std var, sin cos, tril triu, floor ceil, "
    "ones zeros, ones_like zeros_like, softmax log_softmax, silu gelu, cat stack, startswith endswith"
)
NAMES |= {"exp": "exp2", "log": "log2", "log1p": "log", "rsqrt": "sqrt", "sigmoid": "tanh", "cumsum": "cumprod"}
NAMES |= {"float64": "float32", "double": "float", "float32": "float16", "bfloat16": "float16", "int64": "int32"}
NAMES["tl.sum"] = "max"  # a dotted name comes first: tl has no mean

DROPPED_METHODS = {"float", "double", "to", "type_as", "sqrt", "abs", "clamp", "clamp_", "detach", "clone", "transpose"}

# Left alone: what says where or how fast, never what (such a mutant is always equivalent), and what only describes.
SILENT_KEYWORDS = {"device", "non_blocking", "pin_memory", "num_warps", "num_stages"}
SILENT_FIELDS = {"annotation", "returns", "decorator_list", "exc", "cause"}
SILENT_NODES = (ast.arguments, ast.Assert, ast.JoinedStr)  # Python 3.11 has wrong columns inside an f-string
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.JoinedStr, ast.Starred)

TRIVIA = re.compile(rb"(?:[\s()\\]|#[^\r\n]*)*")  # what may stand between an operand and its operator
PATTERNS = [re.escape(old).replace("\\ ", r"\s+") + r"\b" * old[0].isalpha() for old in OPERATORS]
OPERATOR = re.compile("|".join(sorted(PATTERNS, key=len, reverse=True)).encode())
PREFIX = re.compile(rb"not\b\s*|[-~+]\s*")
COMMA = re.compile(rb"\s*,\s*")
REST = re.compile(r"\s*(?:#.*)?\n.*", re.S)  # of a text of several lines


class Mutant(NamedTuple):
    key: str
    line: int  # of the source
    source: str  # the whole file, changed


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a solution, from top to bottom."""
    text = Text(source)
    regions, seen = text.regions(), {meaning(source)}
    keys: Counter[str] = Counter()
    found = [edit for node in text.code(text.tree) for edit in edits(text, node)]
    for start, end, new in sorted(found, key=lambda edit: edit[:2]):
        homes = [(top, name) for name, top, bottom in regions if top <= start and end <= bottom]
        mutated = (text.bytes[:start] + new.encode() + text.bytes[end:]).decode()
        if not homes or (means := meaning(mutated)) is None or means in seen:
            continue
        seen.add(means)
        line = sum(first <= start for first in text.lines) - 1
        keys[key := f"{max(homes)[1]} | {text.marked(line, start, end, new)}"] += 1
        yield Mutant(key if keys[key] == 1 else f"{key} #{keys[key]}", line + 1, mutated)


def meaning(source: str) -> str | None:
    """What remains when layout and comments go; None if this is no Python."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(tree := syntax.parse(source), "<mutant>", "exec")
    except SyntaxError:
        return None
    return ast.dump(tree)


def edits(text: "Text", node: Node) -> Iterator[Edit]:
    """What can go wrong at one node."""
    if deletable(text, node):
        yield text.replace(node, "pass")
    match node:
        case ast.BinOp(left, ast.MatMult(), right):
            yield text.swap(left, right)
        case ast.BinOp(operand) | ast.AugAssign(operand):
            yield from text.operators(operand)
        case ast.Compare(first, _, others):
            yield from text.operators(first, *others[:-1])
        case ast.BoolOp(_, operands):
            yield from text.operators(*operands[:-1])
        case ast.UnaryOp() | ast.Constant() if (number := integer(node)) is not None:
            yield from (text.replace(node, str(near)) for near in (number + 1, number - 1))
        case ast.UnaryOp():
            yield text.start(node), text.past(PREFIX, text.start(node)), ""
        case ast.Constant(bool(value)):
            yield text.replace(node, str(not value))
        case ast.Constant(float(value)) if math.isfinite(2 * value):
            yield text.replace(node, repr(2 * value or 1.0))
        case ast.Name(name, ast.Load()) if hasattr(builtins, name) and hasattr(builtins, NAMES.get(name, "")):
            yield text.replace(node, NAMES[name])
        case ast.Attribute(owner, name, ast.Load()) if name in NAMES and text.of(owner) != "self":
            new = NAMES.get(f"{text.of(owner)}.{name}", NAMES[name])
            yield text.end(node) - len(name), text.end(node), new
        case ast.Call(args=arguments):
            yield from call(text, node, arguments)
        case ast.keyword(None) | ast.keyword(_, ast.Constant(True | False)):
            pass  # without keepdim=True is with keepdim=False
        case ast.keyword():
            yield text.start(node), text.past(COMMA, text.end(node)), ""
        case ast.Slice(lower, upper) if lower or upper or "None" not in text.of(text.parents[node]):  # x[:, None]
            colon = text.after(lower) if lower else text.start(node)
            yield from shifted(text, lower, "+ 1") if lower else [(colon, colon, "1")]
            yield from shifted(text, upper, "- 1") if upper else [(colon + 1, colon + 1, "-1")]
        case ast.If(test) | ast.IfExp(test):
            yield from negated(text, "not ", test)
        case ast.comprehension(ifs=tests):
            yield from (edit for test in tests for edit in negated(text, "not ", test))
        case ast.Return(ast.Tuple(elements)):
            yield from map(text.swap, elements, elements[1:])
        case ast.Break() | ast.Continue():
            yield text.replace(node, "continue" if isinstance(node, ast.Break) else "break")


def call(text: "Text", node: Node, arguments: list[ast.expr]) -> Iterator[Edit]:
    """What can go wrong with a function or method whose meaning we know by name."""
    path, _, name = text.of(node.func).rpartition(".")
    function = not path or (path.replace(".", "").isidentifier() and path.partition(".")[0] in text.imported)
    match arguments:
        case _ if name in DROPPED_METHODS and not function and "device" not in "".join(map(text.of, arguments)):
            yield text.after(node.func.value), text.end(node), ""
        case [_] if name in {"sqrt", "abs", "sorted"} and not node.keywords:
            yield text.start(node), text.end(node.func), ""
        case [whole, part] if name == "cdiv":
            yield text.replace(node, f"({text.operand(whole)} // {text.operand(part)})")
        case [mask, *_] if name == "where" or (name in {"masked_fill", "masked_fill_"} and not function):
            yield from negated(text, "~", mask)
        case [left, right, *_] if name in {"matmul", "bmm", "mm", "dot"}:
            yield text.swap(left, right)
        case [ast.List(elements) | ast.Tuple(elements), *_] if name in {"cat", "concat", "stack"}:
            yield from map(text.swap, elements, elements[1:])
        case [_, *_] if name in {"range", "static_range"}:
            *start, stop = arguments[:2]
            yield from shifted(text, start[0], "+ 1") if start else [(text.start(stop), text.start(stop), "1, ")]
            yield from shifted(text, stop, "- 1")


def shifted(text: "Text", bound: Node, by: str) -> Iterator[Edit]:
    """Off by one, unless the bound ends in a number, which is shifted as a constant."""
    last = bound.right if isinstance(bound, ast.BinOp) and isinstance(bound.op, ast.Add | ast.Sub) else bound
    if integer(last) is None:
        yield text.replace(bound, f"{text.operand(bound)} {by}")


def negated(text: "Text", sign: str, test: Node) -> Iterator[Edit]:
    """The contrary, unless another edit says it: == -> !=, `not` dropped, True -> False."""
    match test:
        case ast.Compare(_, [ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
            return
        case ast.Constant() | ast.UnaryOp(ast.Not() | ast.Invert()):
            return
    yield text.replace(test, sign + text.operand(test))


def integer(node: Node) -> int | None:
    """-1 is one number, though `ast` sees two."""
    match node:
        case ast.UnaryOp(ast.USub(), ast.Constant(value)) | ast.Constant(value) if type(value) is int:
            return value if isinstance(node, ast.Constant) else -value
    return None


def deletable(text: "Text", node: Node) -> bool:
    """Whether the program still runs without this statement."""
    match node:
        case ast.Assign(targets):
            return all(was_defined(text, name) for target in targets for name in ast.walk(target))
        case ast.Return():
            return not isinstance(text.parents[node], FUNCTIONS)
        case ast.Expr(value):
            return not isinstance(value, ast.Constant)  # a docstring
    return isinstance(node, ast.AugAssign | ast.Raise)


def was_defined(text: "Text", target: Node) -> bool:
    """Whether an older value stays when this assignment goes; otherwise a NameError gives the mutant away."""
    match target:
        case ast.Attribute(_, _, ast.Store()):
            return getattr(text.scope(target), "name", "") != "__init__"
        case ast.Name(name, ast.Store()):
            known = (node for node in ast.walk(text.scope(target)) if isinstance(node, ast.arg | ast.Name))
            before = (node for node in known if text.start(node) < text.start(target))
            return name in {getattr(node, "id", "") or getattr(node, "arg", "") for node in before}
    return True


class Text:
    """A solution in bytes, because that is what the columns of `ast` count."""

    def __init__(self, source: str):
        self.bytes = source.encode()
        self.tree = syntax.parse(source)
        newlines = list(re.finditer(rb"\r?\n", self.bytes))
        self.lines = [0, *(newline.end() for newline in newlines)]
        self.line_ends = [*(newline.start() for newline in newlines), len(self.bytes)]  # or where the comment starts
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                self.line_ends[token.start[0] - 1] -= len(token.string.encode())
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        aliases = [node for node in ast.walk(self.tree) if isinstance(node, ast.alias)]
        self.imported = {alias.asname or alias.name.partition(".")[0] for alias in aliases}

    def start(self, node: Node) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node: Node) -> int:
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def past(self, pattern: re.Pattern[bytes], place: int) -> int:
        found = pattern.match(self.bytes, place)
        return found.end() if found else place

    def after(self, node: Node) -> int:
        """Where the next token stands, brackets closed."""
        return self.past(TRIVIA, self.end(node))

    def of(self, node: Node) -> str:
        return self.bytes[self.start(node) : self.end(node)].decode()

    def operand(self, node: Node) -> str:
        """Safe beside any operator."""
        return self.of(node) if isinstance(node, ATOMS) else f"({self.of(node)})"

    def replace(self, node: Node, new: str) -> Edit:
        return self.start(node), self.end(node), new

    def swap(self, a: Node, b: Node) -> Edit:
        between = self.bytes[self.end(a) : self.start(b)].decode()
        return self.start(a), self.end(b), self.operand(b) + between + self.operand(a)

    def operators(self, *operands: Node) -> Iterator[Edit]:
        """Another operator after each operand."""
        for operand in operands:
            found = OPERATOR.match(self.bytes, self.after(operand))
            if found and (new := OPERATORS.get(" ".join(found[0].decode().split()))):
                yield *found.span(), new

    def scope(self, node: Node) -> Node:
        """The function or class around a node, or the file."""
        while not isinstance(node := self.parents[node], (*FUNCTIONS, ast.ClassDef, ast.Module)):
            pass
        return node

    def code(self, node: Node) -> Iterator[Node]:
        """The node and all below it that may be changed."""
        if isinstance(node, SILENT_NODES) or (isinstance(node, ast.keyword) and node.arg in SILENT_KEYWORDS):
            return
        yield node
        if integer(node) is None:
            for field, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST) and field not in SILENT_FIELDS:
                        yield from self.code(child)

    def regions(self) -> list[tuple[str, int, int]]:
        """What may be changed: the blanks, or in a file without blanks the function bodies."""
        marked = [(b.name, self.lines[b.first], self.lines[b.last - 1]) for b in blanks.find(self.bytes.decode())]
        functions = [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]
        names = [f"{getattr(self.scope(node), 'name', '')}.{node.name}".lstrip(".") for node in functions]
        return marked or [(name, self.start(f.body[0]), self.end(f)) for name, f in zip(names, functions, strict=True)]

    def marked(self, line: int, start: int, end: int, new: str) -> str:
        """The line that changes, the change marked in its place."""
        cuts = pairwise((self.lines[line], start, end, self.line_ends[line]))
        before, old, after = (self.bytes[left:right].decode() for left, right in cuts)
        old, new = (REST.sub(" ...", part.strip()) for part in (old, new))
        return f"{before.lstrip()}{{{f'{old} -> {new}'.strip()}}}{after.rstrip()}"
