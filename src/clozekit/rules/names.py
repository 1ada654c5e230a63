"""What a name in a submission stands for: imports, aliases and assignments resolved to the fully qualified name.

import torch.nn.functional as F
soft = F.softmax
soft(x)             names.resolve(<soft>)  ->  {"torch.nn.functional.softmax"}
"""

import ast
from collections.abc import Iterator

COMPONENTS = 8  # of a path: no name of a library is longer, `a = a.b` in a cycle would be
PATHS = 100  # of a name, a bound on time; real ones have one or two
PASSES = 10  # over a file's aliases, up and down in turn; real ones need two
DEPTH = 100  # of an expression

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Names:
    """The names of one module. Scopes are merged: a name that is ever forbidden is forbidden everywhere.

    Attributes:
        paths: what each name may stand for, and each attribute that is assigned (".lib" for `self.lib = torch`).
        values: the names that may also hold something else, such as a tensor.
        nodes: the whole tree, in one list.
        texts: the names that hold nothing but literals, or items of literals, with these.
    """

    def __init__(self, tree: ast.Module):
        self.paths: dict[str, set[str]] = {}
        self.stars: list[tuple[str, int]] = []  # star imports, with their lines
        self.defined: dict[str, int] = {}  # the module's own functions and classes, with their lines
        self.nodes = nodes = list(ast.walk(tree))
        for node in nodes:
            self._imported(node)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.defined[node.name] = node.lineno
        pairs = [pair for node in nodes for pair in _bindings(node)]
        pairs += _passed(nodes)
        for _ in range(PASSES):  # an alias of an alias, in whatever order
            if not any([self._bind(*pair) for pair in pairs]):  # noqa: C419  (each must be tried)
                break
            pairs.reverse()
        self.texts = _literals(nodes, pairs)
        paths = {id(target) for target, value in pairs if self.resolve(value)}
        self.values = {
            node.id for node in nodes if isinstance(node, ast.Name) and stored(node) and id(node) not in paths
        }
        self.values |= {node.arg for node in nodes if isinstance(node, ast.arg)}

    def resolve(self, node: ast.expr, depth: int = 0) -> set[str]:
        """Every fully qualified name that this expression may stand for; of a container, those of all its items."""
        if depth > DEPTH:
            return set()

        def any_of(*nodes: ast.expr | None) -> set[str]:
            return {path for each in nodes if each for path in self.resolve(each, depth + 1)}

        if isinstance(node, ast.Name):
            return self.paths.get(node.id, set()) | self._starred(node)
        if found := attribute(node):
            owner, name = found
            paths = {"torch" if name == "torch" else f"{path}.{name}" for path in any_of(owner)}  # F.torch is torch
            return paths or self.paths.get(f".{name}", set())
        if isinstance(node, ast.Call):
            return self.paths.get(f"{node.func.id}()", set()) if isinstance(node.func, ast.Name) else set()
        if isinstance(node, ast.NamedExpr | ast.Subscript | ast.Starred):
            return any_of(node.value)
        if isinstance(node, ast.IfExp):
            return any_of(node.body, node.orelse)
        if isinstance(node, ast.BoolOp | ast.Dict):
            return any_of(*node.values)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return any_of(*node.elts)
        return set()

    def is_value(self, node: ast.expr) -> bool:
        """Whether this expression may be a tensor: all but a module, or what is reached from one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return not self.resolve(node) or (isinstance(node, ast.Name) and node.id in self.values)

    def _starred(self, node: ast.Name) -> set[str]:
        """What star imports may have brought under this name; a function of its own below hides it from there on."""
        if node.id in self.paths.get(node.id, ()):
            return set()  # a module, imported by this very name
        return {
            f"{module}.{node.id}"
            for module, line in self.stars
            if not line < self.defined.get(node.id, 0) < node.lineno
        }

    def _add(self, name: str, path: str) -> bool:
        """Whether this was new."""
        known = self.paths.setdefault(name, set())
        if path in known or path.count(".") >= COMPONENTS or len(known) >= PATHS:
            return False
        known.add(path)
        return True

    def _imported(self, node: ast.AST) -> None:
        for alias, path in imported(node):
            if alias.name == "*":
                self.stars.append((path.removesuffix(".*"), alias.lineno))
            elif alias.asname or isinstance(node, ast.ImportFrom):
                self._add(alias.asname or alias.name, path)
            else:  # `import torch.nn` binds torch
                self._add(path.partition(".")[0], path.partition(".")[0])

    def _bind(self, target: ast.expr | ast.arg, value: ast.expr) -> bool:
        """Give a name or an attribute what `value` may stand for. Whether that was new."""
        if isinstance(target, ast.Attribute):
            name = f".{target.attr}"
        elif isinstance(target, ast.Name | ast.arg):
            name = target.id if isinstance(target, ast.Name) else target.arg
        else:
            return False
        added = [self._add(name, path) for path in self.resolve(value)]
        return any(added)


def imported(node: ast.AST) -> Iterator[tuple[ast.alias, str]]:
    """Everything that an import names, with its path; a relative one's begins with a dot, as no library's does."""
    if isinstance(node, ast.Import):
        yield from ((alias, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        home = "." * node.level + (f"{node.module}." if node.module else "")
        yield from ((alias, home + alias.name) for alias in node.names)


def attribute(node: ast.expr) -> tuple[ast.expr, str] | None:
    """Owner and name of `owner.name`, and of `getattr(owner, "name")`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        name = node.args[1] if len(node.args) > 1 else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return node.args[0], name.value
    return None


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr | ast.arg, ast.expr]]:
    """Every target that a node binds, with the value, or with the container that it is taken from."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _unpacked(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        rows = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else []
        if isinstance(node.target, ast.Tuple) and rows and all(isinstance(row, ast.Tuple) for row in rows):
            for row in rows:  # a table written down: each name gets its own column
                yield from _unpacked(node.target, row)
        else:
            yield from _unpacked(node.target, node.iter)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars:
                given = item.context_expr.args if isinstance(item.context_expr, ast.Call) else [item.context_expr]
                for value in given:  # `with nullcontext(torch) as lib`
                    yield from _unpacked(item.optional_vars, value)
    elif isinstance(node, Function):
        spec = node.args
        positional = [*spec.posonlyargs, *spec.args]
        yield from zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True)
        yield from ((arg, default) for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default)
    elif isinstance(node, ast.ClassDef):
        for statement in node.body:  # what the body names, the instances have as attributes
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                for name, value in _bindings(statement):
                    if isinstance(name, ast.Name):
                        yield ast.Attribute(name, name.id), value


def _literals(nodes: list[ast.AST], pairs: list) -> dict[str, list[ast.expr]]:
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
    other |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler | ast.MatchAs) and node.name}
    return {name: values for name, values in texts.items() if name not in other}


def _passed(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr | ast.arg, ast.expr]]:
    """Parameters with what the file's own calls give them, and `f()` with what f returns."""
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (called := functions.get(node.func.id)):
            spec = called.args
            yield from zip([*spec.posonlyargs, *spec.args], node.args, strict=False)
            parameters = {arg.arg: arg for arg in (*spec.args, *spec.kwonlyargs)}
            yield from ((parameters[each.arg], each.value) for each in node.keywords if each.arg in parameters)
    for name, function in functions.items():
        for node in ast.walk(function) if len(functions) < 500 else ():
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Name | ast.Attribute):
                yield ast.Name(f"{name}()", ast.Store()), node.value


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
    elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        for each, part in zip(target.elts, value.elts, strict=True):
            yield from _unpacked(each, part)
    else:
        for each in target.elts:
            yield from _unpacked(each.value if isinstance(each, ast.Starred) else each, value)


def stored(node: ast.Name) -> bool:
    """Whether a name is bound here rather than used."""
    return isinstance(node.ctx, ast.Store)
