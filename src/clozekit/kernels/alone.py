"""A submission's kernels without its host code.

    LOG2E = tl.constexpr(math.log2(math.e))        dropped; a plan brings the constants that a kernel names
    @triton.autotune(configs(), key=["n"])         dropped
    @triton.jit
    def softmax_kernel(y_ptr, x_ptr, ...):         kept
    class Softmax: ...                             dropped, all but the functions in it
    def softmax(x):                                kept as a kernel, which nobody launches

Every function becomes a kernel, whatever marked it as one: what a plan may launch is known by its line. Of the modules that a
file imports, triton and math remain, and what a kernel reaches in them must be the language of kernels.
"""

import ast
import builtins
import linecache
import math
import types
from typing import Any

import triton
import triton.language as tl
from triton.language.extra import cuda
from triton.language.extra import libdevice as generic_libdevice

from clozekit.kernels.private import JITCallable, JITFunction
from clozekit.kernels.refusal import refused

MODULES = ("triton", "math")
NAMESPACES: tuple[types.ModuleType, ...] = (
    *(triton, tl, tl.core, tl.math, tl.standard, tl.extra, generic_libdevice, cuda, cuda.libdevice, math),
)
HOST = (triton.cdiv, triton.next_power_of_2)  # functions of the host that a kernel may call
# attributes that lead from a kernel's values to Python's: those of a jitted function, and the numbers behind a tensor
VALUES = {*dir(tl.tensor), *dir(tl.dtype), *dir(tl.constexpr), "type", "dtype", "shape", "numel", "value"}
INNER = {*dir(tl.cdiv)} - VALUES | {"handle"}


class Unreachable(NameError):
    """A function names something that is not of the language of kernels."""


Kernels = dict[int, JITFunction | Unreachable]  # by the line on which a function or its first decorator begins


def load(source: str, file: str) -> Kernels:
    """The kernels of a source; of one that cannot run alone, why not.

    Raises:
        SyntaxError: the source is not Python.
    """
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space: dict[str, Any] = {"__name__": "submission", "__builtins__": vars(builtins)}
    tree = ast.parse(source, file)
    found: Kernels = {}
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    lines = {id(node): min([node.lineno, *(each.lineno for each in node.decorator_list)]) for node in definitions}
    for node in _statements(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _import(node, file, space)
        elif isinstance(node, ast.FunctionDef):
            space[node.name] = found[lines[id(node)]] = _kernel(node, file, space)
    for node in definitions:
        if lines[id(node)] not in found:
            found[lines[id(node)]] = _kernel(node, file, space)
    for node in definitions:
        try:
            for statement in node.body:
                _reach(statement, space)
        except Unreachable as unreachable:
            found[lines[id(node)]] = unreachable
            space.pop(node.name, None)
    return found


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Those of a module, the ones under `if`, `try` and `with` among them."""
    found = []
    for node in body:
        inner = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
        if isinstance(node, ast.If | ast.Try | ast.With):
            found += [each for part in inner for each in _statements(part)]
        else:
            found.append(node)
    return found


def _import(node: ast.Import | ast.ImportFrom, file: str, space: dict[str, Any]) -> None:
    def allowed(module: str) -> bool:
        return module.partition(".")[0] in MODULES

    if isinstance(node, ast.Import):
        names = [each for each in node.names if allowed(each.name)]
        kept: ast.stmt = ast.Import(names)
    else:
        names = node.names if not node.level and allowed(node.module or "") else []
        kept = ast.ImportFrom(node.module, names, 0)
    if names:
        _run(ast.copy_location(kept, node), file, space)


def _kernel(node: ast.FunctionDef, file: str, space: dict[str, Any]) -> Any:
    """The function, compiled where it stands in its file, as a kernel."""
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = argument.annotation and _known(argument.annotation, space)
    arguments.defaults = [_known(each, space) or ast.Constant(None) for each in arguments.defaults]
    arguments.kw_defaults = [each and (_known(each, space) or ast.Constant(None)) for each in arguments.kw_defaults]
    bare = ast.FunctionDef(node.name, arguments, node.body, [], None)
    made: dict[str, Any] = {}
    if error := _run(ast.copy_location(bare, node), file, space, made):
        return Unreachable(str(error))
    try:
        return triton.jit(made[node.name])
    except Exception as error:  # it is none: a coroutine, a signature that no kernel has
        return Unreachable(f"{node.name}: {error}")


def _known(value: ast.expr, space: dict[str, Any]) -> ast.expr | None:
    """A default or an annotation, if it is made of literals and the language."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    try:
        _reach(value, space)
    except Unreachable:
        return None
    return value if names <= space.keys() else None


def _run(node: ast.stmt, file: str, space: dict[str, Any], local: dict[str, Any] | None = None) -> Exception | None:
    """Execute one statement. What fails is not defined, and missed by whoever needs it."""
    try:
        module = ast.fix_missing_locations(ast.Module([node], []))
        exec(compile(module, file, "exec", dont_inherit=True), space, space if local is None else local)
    except Exception as error:
        return error
    return None


def _reach(part: ast.AST, space: dict[str, Any]) -> None:
    """Refuse what leads from the language of kernels into Python.

    Raises:
        Unreachable.
    """
    owners = {id(node.value) for node in ast.walk(part) if isinstance(node, ast.Attribute)}
    for node in ast.walk(part):
        if isinstance(node, ast.Attribute) and (node.attr.startswith("_") or node.attr in INNER):
            raise refused(Unreachable, "kernel-cannot-use", name=f".{node.attr}")
        if isinstance(node, ast.Name | ast.Attribute) and not _is_language(_follow(node, space)):
            raise refused(Unreachable, "kernel-cannot-use", name=ast.unparse(node))
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in owners:
            continue
        if isinstance(_follow(node, space), types.ModuleType):  # what it is called next, nobody follows
            raise refused(Unreachable, "kernel-cannot-hold", name=ast.unparse(node))


def _follow(node: ast.expr, space: dict[str, Any]) -> Any:
    """What a path of modules leads to; None where it begins with a value of the kernel's own."""
    if isinstance(node, ast.Name):
        return getattr if node.id in ("getattr", "hasattr") else space.get(node.id)
    owner = _follow(node.value, space) if isinstance(node, ast.Attribute) else None
    return getattr(owner, node.attr, None) if isinstance(owner, types.ModuleType) else None  # type: ignore[attr-defined]


def _is_language(thing: Any) -> bool:
    if isinstance(thing, types.ModuleType):
        return thing in NAMESPACES
    return (
        thing in (None, *HOST)
        or isinstance(thing, JITCallable | tl.dtype | tl.constexpr | int | float | str | tuple | list)
        or getattr(thing, "__triton_builtin__", False)
        or str(getattr(thing, "__module__", "")).startswith(("triton.language", "math"))
    )
