"""CZ201 no-launch

What it does
    Reports a file of the Triton track that has no @triton.jit kernel, or that launches none.

Why is this bad?
    The kernel is the exercise; a result from elsewhere is none.

Example
    return x.softmax(-1)

Use instead
    import triton
    @triton.jit
    def kernel(x):
        pass
    kernel[(1,)](x)
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.names import Names
from clozekit.rules.reading import finding, kernels

CODE = "CZ201"


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """A launch looks like `kernel[grid]`, under whatever name; or like `something[...](...)` on the host."""
    if not policy.kernel or any("NotImplementedError" in _raised(node) for node in names.nodes):
        return  # a blank that is still open is told by its own test
    jitted = kernels(names)
    inside = {id(node) for kernel in jitted for node in names.below(kernel)}
    if not any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript) and id(node) not in inside
        for node in names.nodes
    ):
        named = {kernel.name for kernel in jitted}
        if not any(
            isinstance(node, ast.Subscript) and _last(node.value) in named and id(node) not in inside
            for node in names.nodes
        ):
            yield finding(CODE, "error", None)
            return
    if not jitted and not any("triton.jit" in names.resolve(n) for n in names.nodes if isinstance(n, ast.expr)):
        yield finding(CODE, "error", None)


def _raised(node: ast.AST) -> str:
    return ast.dump(node.exc) if isinstance(node, ast.Raise) and node.exc else ""


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
