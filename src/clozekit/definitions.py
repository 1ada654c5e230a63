"""The part of a grader that says what is right, as source of its own: what eager PyTorch would run instead of a kernel.

    eager(grader, "softmax")
        import torch


        def definition(x):
            return torch.softmax(x, dim=-1)

Read from the grader's source, which is never run for it. No torch here.
"""

import ast
import re

from msgspec import Struct

CALL = re.compile(r"\w+\(.*\)")
FOREIGN = {"pytest", "clozekit"}  # modules that no worker may import


class Eager(Struct, frozen=True):
    """A function by its name, and all that its module needs."""

    name: str
    source: str


def eager(grader: ast.Module, target: str) -> Eager | None:
    """The reference of a target, with the imports and what else of the grader it names; None if there is none."""
    found = next((node for node in grader.body if isinstance(node, ast.FunctionDef) and _defines(node, target)), None)
    if found is None:
        return None
    named = {name: node for node in grader.body for name in _names(node)}
    needed = {id(found)}
    left: list[ast.stmt] = [found]
    while left:
        used = {node.id for node in ast.walk(left.pop()) if isinstance(node, ast.Name)}
        for node in (named[name] for name in used & named.keys()):
            if id(node) not in needed:
                needed.add(id(node))
                left.append(node)
    imports = [node for node in grader.body if isinstance(node, ast.Import | ast.ImportFrom) and not _is_foreign(node)]
    kept = [*imports, *(_bare(node) for node in grader.body if id(node) in needed)]
    return Eager(found.name, "\n".join(map(ast.unparse, kept)) + "\n")


def calls(grader: ast.Module) -> list[str]:
    """The calls of full size that `test_costs` asks for: the texts in its decorators and its body."""
    named = {name: node for node in grader.body for name in _names(node)}
    tests = [node for node in grader.body if isinstance(node, ast.FunctionDef) and node.name == "test_costs"]
    own = [part for node in tests for part in (*node.decorator_list, *node.body)]
    names = [node.id for each in own for node in ast.walk(each) if isinstance(node, ast.Name)]
    parts = [*own, *(named[name] for name in names if name in named)]
    texts = [node.value for part in parts for node in ast.walk(part) if isinstance(node, ast.Constant)]
    return list(dict.fromkeys(text for text in texts if isinstance(text, str) and CALL.fullmatch(text)))


def hidden(grader: ast.Module) -> set[str]:
    """The titles of the tests that are marked hidden, without what a parameter adds."""
    tests = [node for node in grader.body if isinstance(node, ast.FunctionDef)]
    marked = [node for node in tests if any(ast.unparse(mark).endswith("mark.hidden") for mark in node.decorator_list)]
    return {node.name.removeprefix("test_").replace("_", " ") for node in marked}


def _defines(node: ast.FunctionDef, target: str) -> bool:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "reference" and mark.args:
            return isinstance(mark.args[0], ast.Constant) and mark.args[0].value == target
    return False


def _names(node: ast.stmt) -> list[str]:
    """What a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _is_foreign(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return any(name.partition(".")[0] in FOREIGN for name in names)


def _bare(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.FunctionDef):
        return ast.FunctionDef(node.name, node.args, node.body, [], node.returns, lineno=node.lineno)
    return node
