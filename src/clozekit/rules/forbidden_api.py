"""CZ001 forbidden-api

What it does
    Reports a reference to a library function that the exercise asks you to write; calling it is not needed.

Why is this bad?
    torch.nn.functional.rms_norm passes every test and teaches nothing.

Example
    return F.rms_norm(x, weight.shape, weight)

Use instead
    return x / rms * weight
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.bindings import imported, stored
from clozekit.rules.names import Names, attribute, forms
from clozekit.rules.reading import finding, kernels, prefixes, reached

CODE = "CZ001"
METHOD = "torch.Tensor."


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Every attribute, name and import that stands for a forbidden path, or is a method forbidden as torch.Tensor.NAME.

    An attribute of something unknown counts by its name alone: there is no end of ways to carry a library about.

    Not a tensor's methods are those of modules (math.exp), of values in a Triton kernel, and of `self` in a class that
    defines them.
    """
    forbidden = set(policy.forbid)
    methods = {path.removeprefix(METHOD) for path in forbidden if path.startswith(METHOD)}
    last = {path.rpartition(".")[2]: path for path in sorted(forbidden) if not path.startswith(METHOD)}
    exempt = {*_kernel_nodes(names), *_limits(names), *_own_attributes(names)}
    for node in names.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, path in imported(node):
                if above := _covering(path, forbidden):
                    yield _finding(alias, above, policy)
        elif isinstance(node, ast.Attribute | ast.Call) or (isinstance(node, ast.Name) and not stored(node)):
            paths = names.resolve(node) & forbidden
            if found := attribute(node):
                owner, name = found
                if name in methods and id(node) not in exempt and names.is_value(owner):
                    paths.add(METHOD + name)
                elif name in last and id(node) not in exempt and _is_unknown(owner, name, names):
                    paths.add(last[name])
            if paths:
                yield _finding(node, min(paths), policy)


def _finding(node: ast.alias | ast.expr, path: str, policy: Policy) -> Finding:
    host = policy.kernel and not path.startswith("triton.")
    return finding(CODE, "error", node, {"path": path}, f"{CODE}-host" if host else "")


def _covering(path: str, forbidden: set[str]) -> str | None:
    """The forbidden path that is this one, or a module above it."""
    above = (form for part in reversed([*prefixes(path)]) for form in forms(part))
    return next((form for form in above if form in forbidden), None)


def _kernel_nodes(names: Names) -> Iterator[int]:
    """All nodes of Triton kernels: `x.exp()` there is Triton's."""
    for kernel in kernels(names):
        yield from map(id, names.below(kernel))


def _is_unknown(owner: ast.expr, name: str, names: Names) -> bool:
    """Whether nothing says what `owner` is: neither a library, nor of a class of this file that has such a method."""
    if names.resolve(owner):
        return False
    own = {node.name for node in names.nodes if isinstance(node, ast.ClassDef) and name in map(_name, node.body)}
    return not own & reached(owner, names)


def _name(statement: ast.stmt) -> str:
    return getattr(statement, "name", "")


def _limits(names: Names) -> Iterator[int]:
    """`torch.finfo(torch.float16).max`: a number, not a method."""
    for node in names.nodes:
        owner = node.value if isinstance(node, ast.Attribute) else None
        if isinstance(owner, ast.Call) and names.resolve(owner.func) & {"torch.finfo", "torch.iinfo"}:
            yield id(node)


def _own_attributes(names: Names) -> Iterator[int]:
    """Every `self.NAME` in a class that defines NAME itself: a layer called `self.softmax` is no tensor's method."""
    for owner in names.nodes:
        if not isinstance(owner, ast.ClassDef):
            continue
        methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
        uses = [
            node
            for method in methods
            for node in names.below(method)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == _self(method)
        ]
        fields = [node for node in owner.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        own = {method.name for method in methods} | {use.attr for use in uses if isinstance(use.ctx, ast.Store)}
        own |= {node.id for each in fields for node in names.below(each) if isinstance(node, ast.Name) and stored(node)}
        yield from (id(use) for use in uses if use.attr in own)


def _self(method: ast.FunctionDef) -> str:
    """What the method calls its object; "" if it has none."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in method.decorator_list)
    return arguments[0].arg if arguments and not static else ""
