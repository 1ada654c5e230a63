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
from clozekit.report import Finding, Problem
from clozekit.rules.names import Names

CODE = "CZ001"


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Every attribute, name and import that stands for a forbidden path. A method is forbidden as `Tensor.softmax`."""
    forbidden = set(policy.forbid)
    methods = {path.removeprefix("torch.Tensor.") for path in forbidden if path.startswith("torch.Tensor.")}
    modules = {path.partition(".")[0] for path in forbidden}
    for node in ast.walk(tree):
        paths: set[str] = set()
        if isinstance(node, ast.Attribute | ast.Name | ast.Call):
            paths = names.resolve(node) & forbidden
            method = isinstance(node, ast.Attribute) and node.attr in methods
            if method and not any(path.partition(".")[0] in modules for path in names.resolve(node.value)):
                paths.add(f"torch.Tensor.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module:
            paths = {f"{node.module}.{alias.name}" for alias in node.names} & forbidden
        for path in sorted(paths):
            yield Finding(CODE, "error", node.lineno, node.col_offset + 1, Problem(CODE, {"path": path}))
