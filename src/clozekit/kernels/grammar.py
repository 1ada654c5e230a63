"""What Triton's compiler refuses, refused here too.

    for i in range(n):
        if tl.load(p + i) < 0:
            break                  SyntaxError: `break` cannot be used in a kernel (submission.py, line 14)
    y = x * SCALE                  NameError: scale_kernel, line 15: a kernel sees no ordinary global such as SCALE: ...

A kernel that passes on the CPU and does not compile for a GPU would be a wrong answer passed. The rules are read from
the compiler that is installed: a construct is allowed if its syntax walker has a method for it.
"""

import ast
import builtins
import linecache
import types
from collections.abc import Iterator
from typing import Any

import triton

from clozekit.kernels import private
from clozekit.kernels.private import CodeGenerator, JITCallable, JITFunction, core, is_namedtuple
from clozekit.kernels.refusal import refused

# parts of other constructs, for which the walker needs no method
PARTS: tuple[type[ast.AST], ...] = (
    *(ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.expr_context),
    *(ast.comprehension, ast.FormattedValue, ast.Starred, ast.withitem),
)
NAMES = {"FunctionDef": "def", "ImportFrom": "import", "NamedExpr": ":="}


def check(kernel: JITFunction, definition: ast.FunctionDef, file: str) -> None:
    """Look through a kernel, whose line numbers are those of its file.

    Raises:
        SyntaxError: a construct that kernels do not have.
        NameError: a name that is not defined, or a global that is not a constant.
    """
    body = [node for statement in definition.body for node in _walk(statement)]
    if any(isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node) for node in body):
        return  # a blank not filled in yet: the program raises it, and what is missing below must not be blamed first
    own = {node.arg for node in ast.walk(definition.args) if isinstance(node, ast.arg)}
    own |= {node.id for node in body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    scope = CodeGenerator.builtin_namespace | kernel.get_capture_scope()
    for node in body:
        if reason := _unsupported(node, scope):
            line, column = getattr(node, "lineno", definition.lineno), getattr(node, "col_offset", 0)
            kind = type(node).__name__
            facts = {"name": NAMES.get(kind, kind.lower()), "version": triton.__version__}
            told = refused(SyntaxError, f"kernel-syntax {reason}", file=file, line=line, **facts)
            told.msg = str(refused(SyntaxError, reason, **facts))  # of which Python says the place
            told.filename, told.lineno, told.offset, told.text = file, line, column + 1, linecache.getline(file, line)
            raise told
    for node in body:
        if isinstance(node, ast.Name) and node.id not in own and (reason := _unseen(node.id, scope)):
            facts = {"kernel": definition.name, "line": node.lineno, "name": node.id}
            raise refused(NameError, f"kernel-line {reason}", **facts)


def _unsupported(node: ast.AST, scope: dict[str, Any]) -> str | None:
    """The phrase that says why not."""
    kind = type(node).__name__
    if not hasattr(CodeGenerator, f"visit_{kind}") and not isinstance(node, PARTS):
        return "kernel-unsupported"
    if isinstance(node, ast.Compare) and len(node.ops) > 1 and not private.CHAINED_COMPARISONS:
        return "kernel-chained"
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        return "kernel-targets"
    if isinstance(node, ast.For) and not isinstance(node.iter, ast.Call):
        return "kernel-loop"
    if not private.BLOCK_POINTERS and _called(node, scope) == "make_block_ptr":
        return "kernel-block-pointers"
    return None


def _called(node: ast.AST, scope: dict[str, Any]) -> str | None:
    """What a function is called where it is defined, as far as the node says."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return getattr(scope.get(node.id), "__name__", None) if isinstance(node, ast.Name) else None


def _unseen(name: str, scope: dict[str, Any]) -> str | None:
    if name not in scope:
        return "kernel-builtin" if hasattr(builtins, name) else "kernel-undefined"
    if name not in CodeGenerator.builtin_namespace and not _visible(scope[name]):
        return "kernel-global"
    return None


def _visible(value: Any) -> bool:
    """Which globals a kernel may use: the rule of the compiler's name lookup."""
    return (
        isinstance(value, types.ModuleType | JITCallable | core.dtype | core.constexpr)
        or any(getattr(value, mark, False) for mark in ("__triton_builtin__", "__triton_aggregate__"))
        or str(getattr(value, "__module__", "")).startswith("triton.language")
        or is_namedtuple(value)
    )


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, save annotations."""
    yield node
    for child in ast.iter_child_nodes(node):
        if child is not getattr(node, "annotation", None):
            yield from _walk(child)
