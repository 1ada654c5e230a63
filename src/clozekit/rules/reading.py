"""What several rules ask about a submission's tree."""

import ast
from collections.abc import Iterator

from clozekit.report import Finding, Problem
from clozekit.rules.names import Function, Names, attribute, stored

MACHINE = frozenset(
    """
    os sys builtins gc ctypes _ctypes subprocess socket _socket posix threading _thread multiprocessing
    asyncio inspect importlib pickle marshal shelve concurrent resource mmap faulthandler atexit runpy code
    codeop pdb site cffi clozekit pytest _pytest msgspec
    """.split()
) | {"signal"}  # fmt: skip


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
            uses = [node for node in ast.walk(method) if isinstance(node, ast.Name) and node.id == name]
            if not any(stored(use) for use in uses):
                found.update(map(id, uses))
    return found


def builtins_used(names: Names, wanted: frozenset[str]) -> list[ast.Name]:
    """References to these built-in functions, not to a local variable or a function of the file's own with that name."""
    if not any(isinstance(node, ast.Name) and node.id in wanted for node in names.nodes):
        return []
    hidden: set[int] = set()
    for node in names.nodes:
        if isinstance(node, Function) and (local := _locals(node) & wanted):
            body = node.body if isinstance(node.body, list) else [node.body]
            hidden.update(
                id(each) for part in body for each in ast.walk(part) if isinstance(each, ast.Name) and each.id in local
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


def _locals(function: Function) -> set[str]:
    """Names that are local variables of this very function, as Python sees it."""
    spec = function.args
    arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    bound = {arg.arg for arg in arguments if arg}
    outer: set[str] = set()
    todo: list[ast.AST] = list(function.body) if isinstance(function.body, list) else []
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
        elif isinstance(node, ast.Name) and stored(node):
            bound.add(node.id)
        todo.extend(ast.iter_child_nodes(node))
    return bound - outer


def certain(node: ast.AST, names: Names) -> set[str]:
    """The paths of an attribute of a library, whose first name never holds anything else."""
    if not (isinstance(node, ast.Attribute | ast.Call) and attribute(node)):
        return names.resolve(node) if isinstance(node, ast.Name) and node.id not in names.values else set()
    root: ast.AST = node
    while (isinstance(root, ast.Attribute | ast.Call)) and (found := attribute(root)):
        root = found[0]
    if isinstance(root, ast.Name) and root.id not in names.values:
        return names.resolve(node)
    return set()


def kernels(names: Names) -> list[ast.FunctionDef]:
    """Functions that Triton compiles: decorated, or handed to triton.jit."""
    handed = {
        arg.id
        for node in names.nodes
        if isinstance(node, ast.Call) and "triton.jit" in names.resolve(node.func)
        for arg in node.args
        if isinstance(arg, ast.Name)
    }
    return [
        node
        for node in names.nodes
        if isinstance(node, ast.FunctionDef)
        and (node.name in handed or any("triton.jit" in names.resolve(each) for each in decorators(node)))
    ]


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]


def prefixes(path: str) -> Iterator[str]:
    """a, a.b, a.b.c"""
    parts = path.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))
