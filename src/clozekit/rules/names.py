"""What a name in a submission stands for: imports, aliases and plain assignments resolved to the fully qualified name.

import torch.nn.functional as F
soft = F.softmax
soft(x)             names.path(<soft>)  ->  "torch.nn.functional.softmax"
"""

import ast


class Names:
    """The names of one module. Scopes are merged: a name that is ever forbidden is forbidden everywhere."""

    def __init__(self, tree: ast.Module):
        self.paths: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            self._imported(node)
        for _ in range(3):  # an alias of an alias of an alias; beyond that a chain is its own finding
            for node in ast.walk(tree):
                self._assigned(node)

    def resolve(self, node: ast.expr) -> set[str]:
        """Every fully qualified name that this expression may stand for."""
        if isinstance(node, ast.Name):
            return self.paths.get(node.id, set())
        if isinstance(node, ast.Attribute):
            return {f"{path}.{node.attr}" for path in self.resolve(node.value)}
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and len(node.args) >= 2
        ):
            name = node.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                return {f"{path}.{name.value}" for path in self.resolve(node.args[0])}
        return set()

    def _add(self, name: str, path: str) -> None:
        self.paths.setdefault(name, set()).add(path)

    def _imported(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._add(
                    alias.asname or alias.name.partition(".")[0],
                    alias.name if alias.asname else alias.name.partition(".")[0],
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                self._add(alias.asname or alias.name, f"{node.module}.{alias.name}")

    def _assigned(self, node: ast.AST) -> None:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            pairs = [(node.target, node.value)]
        for target, value in pairs:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
                pairs.extend(zip(target.elts, value.elts, strict=False))
            elif isinstance(target, ast.Name):
                for path in self.resolve(value):
                    self._add(target.id, path)
