"""What a name in a submission stands for: imports, aliases and assignments resolved to the fully qualified name.

import torch.nn.functional as F
soft = F.softmax
soft(x)             names.resolve(<soft>)  ->  {"torch.nn.functional.softmax"}
"""

import ast

from clozekit.rules.bindings import (
    Capture,
    Function,
    Target,
    bindings,
    imported,
    literals,
    stored,
    target_name,
)

COMPONENTS = 8  # of a path: no name of a library is longer, `a = a.b` in a cycle would be
PATHS = 100  # of a name; real ones have one or two
DEPTH = 100  # of an expression
NODES = 100_000  # of a file's tree; a page of code has a thousand
WORK = 100_000  # expressions looked at while names are followed; honest answers take some hundreds

# `scores[mask] = torch.inf` makes `scores` no part of a library.
NUMBERS = frozenset(
    f"{library}.{number}" for library in ("math", "numpy", "torch") for number in ("e", "inf", "nan", "pi")
)
JIT = frozenset(
    f"triton.{path}"
    for path in ("runtime.jit", "runtime.jit.jit", "JITFunction", "runtime.JITFunction", "runtime.jit.JITFunction")
)
# Whole libraries: what a call of an unnamed function may hand out.
MODULES = frozenset({
    "torch", "torch.nn", "torch.nn.functional", "torch.special", "torch.linalg", "torch.fft", "torch.sparse",
    "torch.autograd", "torch.nn.modules", "torch.functional", "numpy", "triton", "triton.language",
})  # fmt: skip
# What hands out what it was given, or items of it.
CONTAINERS = frozenset(
    {"dict", "enumerate", "iter", "list", "max", "min", "next", "reversed", "set", "sorted", "tuple", "zip"}
)
ITEMS = frozenset(
    {"copy", "get", "items", "pop", "popitem", "popleft", "setdefault", "values", "__getitem__", "__iter__"}
)


class TooMuch(Exception):
    """The file is too large, or its names too entangled, to be followed; no answer to an exercise is."""


class Names:
    """The names of one module. Scopes are merged: a name that is ever forbidden is forbidden everywhere.

    Attributes:
        paths: what each name may stand for, and each attribute that is assigned (".lib" for `self.lib = torch`).
        pairs: everything that is bound, with its value. given: the values by name.
        values: the names that may also hold something else, such as a tensor.
        nodes: the whole tree, in one list, parents before children.
        texts: the names that hold nothing but literals, or items of literals, with these.
        defined: the module's own functions and classes, with their lines. lambdas: names given to one. methods: of classes.
    """

    def __init__(self, tree: ast.Module):
        """Follow every name.

        Raises:
            TooMuch: there is no end to it.
        """
        self.paths: dict[str, set[str]] = {}
        self.stars: list[tuple[str, int]] = []  # star imports, with their lines
        self.defined: dict[str, int] = {}
        self._left = WORK
        self._known: dict[int, set[str]] | None = None  # what nodes stand for, once all names are followed
        self._spans: dict[int, tuple[int, int]] = {}
        self.nodes = nodes = self._preorder(tree)
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self.methods = {each.name for node in classes for each in node.body if isinstance(each, ast.FunctionDef)}
        for node in nodes:
            self._imported(node)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.defined[node.name] = node.lineno
        self.pairs = bindings(nodes)
        self.lambdas = {
            name for target, value in self.pairs if isinstance(value, ast.Lambda) if (name := target_name(target))
        }
        self.given: dict[str, list[ast.expr]] = {}
        for target, value in self.pairs:
            self.given.setdefault(target_name(target) or "", []).append(value)
        pairs = list(self.pairs)
        while any([self._bind(*pair) for pair in pairs]):  # noqa: C419  (each must be tried)
            pairs.reverse()  # an alias of an alias, in whatever order
        self._known = {}
        self.texts = literals(nodes, self.pairs)
        self.values = self._values()
        self._hidden = self._hidden_uses()

    def resolve(self, node: ast.expr, depth: int = 0) -> set[str]:
        """Every fully qualified name that this expression may stand for; of a container, those of all its items."""
        if depth > DEPTH:
            raise TooMuch
        if self._known is None:
            return self._resolved(node, depth)
        if (known := self._known.get(id(node))) is None:
            known = self._known[id(node)] = self._resolved(node, depth)
        return known

    def is_value(self, node: ast.expr) -> bool:
        """Whether this expression may be a tensor: all but a module, or what is reached from one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if isinstance(node, ast.IfExp):
            return self.is_value(node.body) or self.is_value(node.orelse)
        if isinstance(node, ast.BoolOp):
            return any(map(self.is_value, node.values))
        if isinstance(node, ast.Name) and node.id in self.values:
            return True
        return not self.resolve(node) or (isinstance(node, ast.Call) and not attribute(node))

    def certain(self, node: ast.expr) -> set[str]:
        """As `resolve`, but nothing where the first name is a local variable that no binding there makes a library's."""
        root = node
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            found = attribute(root)
            if not found and isinstance(root, ast.Call):
                break
            root = found[0] if found else root.value  # type: ignore[union-attr]
        return set() if id(root) in self._hidden else self.resolve(node)

    def below(self, node: ast.AST) -> list[ast.AST]:
        """A node and all that it consists of."""
        if id(node) not in self._spans:  # one that `bindings` made up
            return [node]
        first, last = self._spans[id(node)]
        self._spend((last - first) // 8)  # a slice is cheap
        return self.nodes[first:last]

    def _preorder(self, tree: ast.Module) -> list[ast.AST]:
        nodes: list[ast.AST] = []
        todo: list[ast.AST | int] = [tree]
        while todo:
            node = todo.pop()
            if isinstance(node, int):  # all below this one has been seen
                self._spans[id(nodes[node])] = (node, len(nodes))
                continue
            todo.append(len(nodes))
            nodes.append(node)
            if len(nodes) > NODES:
                raise TooMuch
            children = [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr_context)]
            todo.extend(reversed(children))
        return nodes

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise TooMuch

    def _resolved(self, node: ast.expr, depth: int) -> set[str]:
        def any_of(*nodes: ast.expr | None) -> set[str]:
            return {path for each in nodes if each for path in self.resolve(each, depth + 1)}

        self._spend(1)
        if isinstance(node, ast.Name):
            return self.paths.get(node.id, set()) | self._starred(node)
        if found := attribute(node):
            owner, name = found
            owners = any_of(owner)
            self._spend(len(owners))
            return {form for path in owners for form in forms(f"{path}.{name}")} or self.paths.get(f".{name}", set())
        if isinstance(node, ast.Call):
            return self._returned(node, any_of)
        if isinstance(node, ast.Lambda):  # as good as what it hands out
            return any_of(node.body)
        if isinstance(node, ast.NamedExpr | ast.Subscript | ast.Starred | ast.Await):
            return any_of(node.value)
        if isinstance(node, ast.IfExp):
            return any_of(node.body, node.orelse)
        if isinstance(node, ast.BoolOp | ast.Dict):
            return any_of(*node.values)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return any_of(*node.elts)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return any_of(node.elt)
        if isinstance(node, ast.DictComp):
            return any_of(node.value)
        if isinstance(node, ast.BinOp) and (_is_container(node.left) or _is_container(node.right)):
            return any_of(node.left, node.right)  # [torch] + [math]
        return set()

    def _returned(self, node: ast.Call, any_of) -> set[str]:  # type: ignore[no-untyped-def]
        """What a call may give: an own function's results, an item of a container, what a lambda says."""
        function = node.func
        if isinstance(function, ast.Lambda):
            return any_of(function.body)
        if isinstance(function, ast.Name):
            named = [each.value for each in node.keywords if function.id == "dict"]
            given = any_of(*node.args, *named) if function.id in CONTAINERS else set()
            return given | self.paths.get(f"{function.id}()", set())
        if isinstance(function, ast.Attribute):
            items = any_of(function.value, *node.args[1:]) if function.attr in ITEMS else set()
            return items | self.paths.get(f"{function.attr}()", set())
        return {path for path in any_of(function) if path in MODULES or "." not in path}  # of table[0]()

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
        if path in known or path in NUMBERS or path.count(".") >= COMPONENTS:
            return False
        if len(known) >= PATHS:
            raise TooMuch
        known.add(path)
        return True

    def _imported(self, node: ast.AST) -> None:
        for alias, path in imported(node):
            if alias.name == "*":
                star = (path.removesuffix(".*"), alias.lineno)
                self.stars += [star] if star not in self.stars[-PATHS:] else []
            elif alias.asname or isinstance(node, ast.ImportFrom):
                for form in forms(path):
                    self._add(alias.asname or alias.name, form)
            else:  # `import torch.nn` binds torch
                self._add(path.partition(".")[0], path.partition(".")[0])

    def _bind(self, target: Target, value: ast.expr) -> bool:
        """Give a name or an attribute what `value` may stand for. Whether that was new."""
        name = target_name(target)
        if name is None:
            return False
        added = [self._add(name, path) for path in self.resolve(value)]
        return any(added)

    def _values(self) -> set[str]:
        """Names with a binding that need not be a library's: found again and again, as one may be taken from another."""
        given: dict[int, list[ast.expr]] = {}
        for target, value in self.pairs:
            given.setdefault(id(target), []).append(value)
        self.values = {node.arg for node in self.nodes if isinstance(node, ast.arg)}
        targets = {id(node): node.id for node in self.nodes if isinstance(node, ast.Name) and stored(node)}
        targets |= {id(node): node.name for node in self.nodes if isinstance(node, Capture) and node.name}
        self.values |= {name for key, name in targets.items() if key not in given}
        while new := {
            name
            for key, name in targets.items()
            if name not in self.values and any(map(self.is_value, given.get(key, ())))
        }:
            self._spend(len(targets))
            self.values |= new
        return self.values

    def _hidden_uses(self) -> set[int]:
        """Uses of a name that is a library's elsewhere and a local variable here, which nothing here makes a library's."""
        places: dict[str, list[int]] = {}  # where in `nodes` each name is bound to a path
        for target, value in self.pairs:
            name, span = target_name(target), self._spans.get(id(target))
            if name in self.paths and span and self.resolve(value):
                places.setdefault(name, []).append(span[0])
        hidden: set[int] = set()
        doubtful = self.values & self.paths.keys()
        doubtful -= {name for node in self.nodes if isinstance(node, ast.Global) for name in node.names}
        for function in self.nodes if doubtful else ():
            if not isinstance(function, Function):
                continue
            names = local_names(function) & doubtful
            if not names:
                continue
            first, last = self._spans[id(function)]
            bare = {name for name in names if not any(first <= at < last for at in places.get(name, ()))}
            for node in self.below(function):
                if isinstance(node, ast.Name) and node.id in names:
                    (hidden.add if node.id in bare else hidden.discard)(id(node))
        return hidden


def forms(path: str) -> set[str]:
    """A path as torch's own modules spell it, and as people do: F.torch is torch, nn.modules.linear.Linear is nn.Linear."""
    parts = path.split(".")
    if parts[-1] == "value":  # of a member of an enumeration
        return {".".join(parts[:-1])}
    if path in JIT:
        return {path, "triton.jit"}
    if parts[0] != "torch":
        return {path, "torch"} if parts[-1] == "torch" and parts[0] else {path}  # einops.layers.torch.torch
    if parts[-1] == "torch":
        return {"torch"}
    if parts[-1] == "F":
        return {"torch.nn.functional"}
    if parts[1:3] == ["nn", "modules"] and len(parts) > 3 and parts[-1][0].isupper():
        return {path, f"torch.nn.{parts[-1]}"}
    return {path}


def attribute(node: ast.expr) -> tuple[ast.expr, str] | None:
    """Owner and name of `owner.name`, and of `getattr(owner, "name")`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        name = node.args[1] if len(node.args) > 1 else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return node.args[0], name.value
    return None


def local_names(function: Function) -> set[str]:
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


def _is_container(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.ListComp | ast.DictComp)
