"""What several rules ask about a submission's tree."""

import ast
from collections.abc import Collection, Iterator

from clozekit.report import Finding, Problem
from clozekit.rules.bindings import Function, stored
from clozekit.rules.names import Names, local_names

MACHINE = frozenset(
    """
    os sys builtins gc ctypes _ctypes subprocess socket _socket posix threading _thread multiprocessing
    asyncio inspect importlib pickle marshal shelve concurrent resource mmap faulthandler atexit runpy code
    codeop pdb bdb site cffi clozekit pytest _pytest msgspec pkgutil pydoc zipimport sysconfig linecache tracemalloc
    doctest unittest _testcapi _imp _frozen_importlib
    """.split()
) | {"signal"}  # fmt: skip
TUNERS = {"triton.heuristics"}, {"triton.autotune"}


def finding(
    code: str, severity: str, node: ast.AST | None, facts: dict[str, str] | None = None, kind: str = ""
) -> Finding:
    """At the place of `node`, or at the start of the file."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
    return Finding(code, severity, line, column, Problem(kind or code, facts or {}))  # type: ignore[arg-type]


def own_objects(names: Names) -> set[int]:
    """Every use of `self` (or what a method calls it) in a method that never binds that name again."""
    found: set[int] = set()
    for owner in names.nodes:
        for method in owner.body if isinstance(owner, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef) or not (method.args.posonlyargs or method.args.args):
                continue
            name = [*method.args.posonlyargs, *method.args.args][0].arg
            uses = [node for node in names.below(method) if isinstance(node, ast.Name) and node.id == name]
            if not any(stored(use) for use in uses):
                found.update(map(id, uses))
    return found


def builtins_used(names: Names, wanted: frozenset[str]) -> list[ast.Name]:
    """References to these built-in functions, not to a local variable or a function of the file's own with that name."""
    if not any(isinstance(node, ast.Name) and node.id in wanted for node in names.nodes):
        return []
    hidden: set[int] = set()
    for node in names.nodes:
        if isinstance(node, Function) and (local := local_names(node) & wanted):
            body = node.body if isinstance(node.body, list) else [node.body]
            hidden.update(
                id(each)
                for part in body
                for each in names.below(part)
                if isinstance(each, ast.Name) and each.id in local
            )
    return [
        node
        for node in names.nodes
        if isinstance(node, ast.Name)
        and node.id in wanted
        and not stored(node)
        and id(node) not in hidden
        and not 0 < names.defined.get(node.id, 0) < node.lineno
    ]


def kernels(names: Names) -> list[ast.FunctionDef]:
    """Functions that Triton compiles: decorated, or handed to triton.jit."""
    calls = [node for node in names.nodes if isinstance(node, ast.Call) and "triton.jit" in names.resolve(node.func)]
    given = [each for call in calls for each in (*call.args, *call.keywords)]
    beside = tuned(names)
    handed = {name for each in given for name in reached(each, names, beside)}
    return [
        node
        for node in names.nodes
        if isinstance(node, ast.FunctionDef)
        and (node.name in handed or any("triton.jit" in names.resolve(each) for each in decorators(node)))
    ]


def tuned(names: Names) -> set[int]:
    """Nodes, by id, of triton.heuristics({"EVEN": lambda args: ...}): the host's, though a kernel comes out of its call."""
    makers = [node.func for node in names.nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Call)]
    return {id(each) for maker in makers if names.resolve(maker.func) in TUNERS for each in names.below(maker)}


def reached(node: ast.AST, names: Names, beside: Collection[int] = ()) -> set[str]:
    """Every name in an expression, in what these names hold, and so on: of `TABLE[key]` all that the table has.

    beside: nodes, by id, that are not looked at.
    """
    found: set[str] = set()
    todo = [node]
    while todo:
        for each in names.below(todo.pop()):
            if id(each) in beside:
                continue
            name = "lambda" if isinstance(each, ast.Lambda) else getattr(each, "id", getattr(each, "attr", ""))
            if name and name not in found:
                found.add(name)
                todo += names.given.get(name, ())
    return found


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]


def prefixes(path: str) -> Iterator[str]:
    """a, a.b, a.b.c"""
    parts = path.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))
