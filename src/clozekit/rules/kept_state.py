"""CZ104 kept-state

What it does
    Warns of what one call may leave behind for the next: a `global` statement, a module's list or dict that a function
    changes, a mutable default, an attribute of a function, a cache on a function of tensors.

Why is this bad?
    Tensors are changed in place between calls. An answer that was remembered is the answer to another question.

Example
    f.seen = x

Use instead
    seen = x
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.bindings import Function, stored
from clozekit.rules.names import Names
from clozekit.rules.reading import decorators, finding

CODE = "CZ104"
MAKERS = frozenset({"dict", "list", "set", "bytearray", "defaultdict", "OrderedDict", "Counter", "deque"})
CHANGES = frozenset(
    [
        "append",
        "add",
        "update",
        "setdefault",
        "extend",
        "insert",
        "pop",
        "popitem",
        "clear",
        "remove",
        "discard",
        "appendleft",
        "__setitem__",
    ]
)
CACHES = {"functools.lru_cache", "functools.cache"}


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Warnings only: the graded cases, which repeat calls on changed tensors, have the last word."""
    shared = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _is_mutable(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    seen: set[int] = set()
    for function in names.nodes:
        if not isinstance(function, Function):
            continue
        spec = function.args
        arguments = [*spec.posonlyargs, *spec.args]
        defaults = dict(
            zip([arg.arg for arg in arguments[len(arguments) - len(spec.defaults) :]], spec.defaults, strict=True)
        )
        defaults |= {arg.arg: each for arg, each in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if each}
        kept = {name for name, value in defaults.items() if _is_mutable(value)}
        nodes = names.below(function)
        local = {arg.arg for arg in arguments} | {n.id for n in nodes if isinstance(n, ast.Name) and stored(n)}
        for node in nodes:
            if id(node) in seen:
                continue
            if isinstance(node, ast.Global):
                seen.add(id(node))
                yield finding(CODE, "warning", node, {"name": ", ".join(node.names)})
            elif name := _changed(node):
                own = isinstance(node, ast.Attribute) and name in names.defined and isinstance(node.ctx, ast.Store)
                if own or (not isinstance(node, ast.Attribute) and name in (shared - local) | kept):
                    seen.add(id(node))
                    yield finding(CODE, "warning", node, {"name": name})
        if isinstance(function, ast.FunctionDef):
            cached = any(names.resolve(each) & CACHES for each in decorators(function))
            if cached and any("Tensor" in ast.dump(arg.annotation) for arg in arguments if arg.annotation):
                yield finding(CODE, "warning", function, {"name": function.name})


def _is_mutable(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        maker = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return maker in MAKERS
    return isinstance(node, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)


def _changed(node: ast.AST) -> str | None:
    """The name whose value this changes: NAME[...] = , NAME.append(...), NAME.attribute = ."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
        owner = node.func.value
    elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        owner = node.value
    else:
        return None
    return owner.id if isinstance(owner, ast.Name) else None
