"""What a file binds: each name with what it is given, or with the container that it is taken from.

a, b = torch, math                 a: torch      b: math
for lib in (torch, math): ...      lib: (torch, math)
def f(x, lib=torch): ...           lib: torch
f(y, torch.nn)                     lib: torch.nn
def g(): return torch              g(): torch    what a call of it gives
class C: lib = torch               .lib: torch   what an attribute of that name may be
"""

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Capture = ast.MatchAs | ast.MatchStar
Target = ast.expr | ast.arg | ast.MatchAs | ast.MatchStar
Pair = tuple[Target, ast.expr]


def bindings(nodes: list[ast.AST]) -> list[Pair]:
    """Every pair of a target and its value, of all scopes."""
    return [*(pair for node in nodes for pair in _bound(node)), *_passed(nodes), *_returned(nodes)]


def target_name(target: Target) -> str | None:
    """`x` for a name and its items, `.x` for an attribute; None for a pattern without a name."""
    while isinstance(target, ast.Subscript | ast.Starred):
        target = target.value
    if isinstance(target, ast.Attribute):
        return f".{target.attr}"
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.arg):
        return target.arg
    return target.name if isinstance(target, Capture) else None


def stored(node: ast.Name) -> bool:
    """Whether a name is bound here rather than used."""
    return isinstance(node.ctx, ast.Store)


def imported(node: ast.AST) -> Iterator[tuple[ast.alias, str]]:
    """Everything that an import names, with its path; a relative one's begins with a dot, as no library's does."""
    if isinstance(node, ast.Import):
        yield from ((alias, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        home = "." * node.level + (f"{node.module}." if node.module else "")
        yield from ((alias, home + alias.name) for alias in node.names)


def literals(nodes: list[ast.AST], pairs: list[Pair]) -> dict[str, list[ast.expr]]:
    """Names all of whose bindings are assignments of, or loops over, something that can be read."""
    texts: dict[str, list[ast.expr]] = {}
    known: set[int] = set()
    for target, value in pairs:
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant | ast.Tuple | ast.List | ast.Set):
            texts.setdefault(target.id, []).append(value)
            known.add(id(target))
    other = {node.arg for node in nodes if isinstance(node, ast.arg)}
    other |= {node.id for node in nodes if isinstance(node, ast.Name) and stored(node) and id(node) not in known}
    other |= {alias.asname or alias.name for node in nodes for alias, _ in imported(node)}
    other |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler | Capture) and node.name}
    return {name: values for name, values in texts.items() if name not in other}


def _bound(node: ast.AST) -> Iterator[Pair]:
    """What one statement or expression binds by itself."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _unpacked(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value:
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        rows = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else []
        if isinstance(node.target, ast.Tuple) and rows and all(isinstance(row, ast.Tuple) for row in rows):
            for row in rows:  # a table written down: each name gets its own column
                yield from _unpacked(node.target, row)
        else:
            yield from _unpacked(node.target, node.iter)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars:
                given = item.context_expr.args if isinstance(item.context_expr, ast.Call) else []
                for value in (item.context_expr, *given):  # `with nullcontext(torch) as lib`
                    yield from _unpacked(item.optional_vars, value)
    elif isinstance(node, ast.Match):
        patterns = (part for case in node.cases for part in ast.walk(case.pattern))
        yield from ((part, node.subject) for part in patterns if isinstance(part, Capture) and part.name)
    elif isinstance(node, Function):
        spec = node.args
        positional = [*spec.posonlyargs, *spec.args]
        yield from zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True)
        yield from ((arg, default) for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default)
    elif isinstance(node, ast.ClassDef):
        for statement in node.body:  # what the body names, the instances have as attributes
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                for name, value in _bound(statement):
                    if isinstance(name, ast.Name):
                        yield ast.Attribute(name, name.id), value


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[Pair]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
    elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        for each, part in zip(target.elts, value.elts, strict=True):
            yield from _unpacked(each, part)
    else:
        for each in target.elts[_numbers(value) :]:
            yield from _unpacked(each.value if isinstance(each, ast.Starred) else each, value)


def _numbers(value: ast.expr) -> int:
    """1 where each item comes with a key or a number before it: `table.items()`, `enumerate(libs)`."""
    function = value.func if isinstance(value, ast.Call) else None
    keyed = isinstance(function, ast.Attribute) and function.attr == "items"
    return int(keyed or (isinstance(function, ast.Name) and function.id == "enumerate"))


def _passed(nodes: list[ast.AST]) -> Iterator[Pair]:
    """Parameters of the file's own functions, methods and classes, with what its own calls give them."""
    called = _callables(nodes)
    for node in nodes:
        for each in getattr(node, "decorator_list", ()):  # a decorator is given what it decorates
            for spec, _ in called.get(getattr(each, "id", ""), ()):
                yield from zip([*spec.posonlyargs, *spec.args][:1], [ast.Name(node.name)], strict=False)  # type: ignore[attr-defined]
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Lambda):
            yield from _given(node, node.func.args, 0)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for spec, bound in called.get(name, ()):
            yield from _given(node, spec, bound)
    fields = {node.name: _fields(node) for node in nodes if isinstance(node, ast.ClassDef)}
    for node in nodes:  # of a dataclass
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in fields:
            named = [(each.arg, each.value) for each in node.keywords if each.arg]
            for field, value in [*zip(fields[node.func.id], node.args, strict=False), *named]:
                yield ast.Attribute(ast.Name(field), field), value


def _callables(nodes: list[ast.AST]) -> dict[str, list[tuple[ast.arguments, int]]]:
    """Parameters by the name of the function, and how many of them a call leaves out: the `self` of a method."""
    methods = {
        id(method): owner.name for owner in nodes if isinstance(owner, ast.ClassDef) for method in owner.body
    }  # fmt: skip
    found: dict[str, list[tuple[ast.arguments, int]]] = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
            bound = int(id(node) in methods and not static)
            name = methods[id(node)] if node.name == "__init__" and bound else node.name
            found.setdefault(name, []).append((node.args, bound))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                if name := (target_name(target) or "").lstrip("."):
                    found.setdefault(name, []).append((node.value.args, 0))
    return found


def _given(call: ast.Call, spec: ast.arguments, bound: int) -> Iterator[Pair]:
    """What one call gives to the parameters of one function."""
    positional = [*spec.posonlyargs, *spec.args][bound:]
    yield from zip(positional, call.args, strict=False)
    if spec.vararg:
        yield from ((spec.vararg, value) for value in call.args[len(positional) :])
    if any(isinstance(value, ast.Starred) for value in call.args):  # f(*values): any of them may be any parameter
        starred = [value for value in call.args if isinstance(value, ast.Starred)]
        yield from ((arg, value) for arg in positional for value in starred)
    named = {arg.arg: arg for arg in (*spec.args, *spec.kwonlyargs)}
    for each in call.keywords:
        parameters = [*named.values()] if each.arg is None else [named.get(each.arg, spec.kwarg)]
        yield from ((arg, each.value) for arg in parameters if arg)


def _fields(owner: ast.ClassDef) -> list[str]:
    """What a dataclass is made from, in order."""
    targets = [node.target for node in owner.body if isinstance(node, ast.AnnAssign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _returned(nodes: list[ast.AST]) -> Iterator[Pair]:
    """`f()` with what f returns or yields; `.name` too where f is a property."""
    for function, value in _results(nodes):
        yield ast.Name(f"{function.name}()", ast.Store()), value
        if any("property" in ast.unparse(each) for each in function.decorator_list):
            yield ast.Attribute(ast.Name("self"), function.name), value
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                if name := (target_name(target) or "").lstrip("."):
                    yield ast.Name(f"{name}()", ast.Store()), node.value.body


def _results(nodes: list[ast.AST]) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.expr]]:
    """Functions with what their own `return` and `yield` hand out; not those of a function inside."""
    for function in nodes:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        todo: list[ast.AST] = list(function.body)
        while todo:
            node = todo.pop()
            value = getattr(node, "value", None)  # of `return x`, `yield x`, `y = yield x`
            if isinstance(node, ast.Return) and value:
                yield function, value
            elif isinstance(value, ast.Yield | ast.YieldFrom) and value.value:
                yield function, value.value
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for part in ("body", "orelse", "finalbody", "handlers", "cases"):
                    todo.extend(getattr(node, part, ()))
