"""CZ203 unmasked-access

What it does
    Warns of a tl.load or tl.store without a mask in an exercise of the Triton track.

Why is this bad?
    Sizes are rarely multiples of the block: the lanes beyond the end read and write other people's memory.

Example
    import triton, triton.language as tl
    @triton.jit
    def kernel(y_ptr, y, n, BLOCK: tl.constexpr):
        tl.store(y_ptr + tl.arange(0, BLOCK), y)

Use instead
    import triton, triton.language as tl
    @triton.jit
    def kernel(y_ptr, y, n, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(y_ptr + i, y, mask=i < n)
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.names import Names
from clozekit.rules.reading import finding, kernels

CODE = "CZ203"
PLAIN = {"triton.language.load": 1, "triton.language.store": 2}  # with so many arguments there is no mask


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Accesses of a block of addresses; a single address needs no mask."""
    if not policy.kernel:
        return
    for kernel in kernels(names):
        for node in names.below(kernel):
            if not isinstance(node, ast.Call) or any(each.arg in ("mask", "boundary_check") for each in node.keywords):
                continue
            for path in names.resolve(node.func) & PLAIN.keys():
                if len(node.args) <= PLAIN[path] and not any(isinstance(arg, ast.Starred) for arg in node.args):
                    yield finding(CODE, "warning", node, {"path": path.rpartition(".")[2]})
