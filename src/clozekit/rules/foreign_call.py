"""CZ202 foreign-call

What it does
    Reports what a Triton kernel uses that does not exist there: anything but triton.language, Python's math for
    constants, other kernels of the file, the few built-in functions that Triton's compiler knows, and methods of its
    tensors. A Python function that a launch hands to a kernel is reported as well.

Why is this bad?
    A kernel runs on a GPU, where there is no Python, no torch and no tensor of the host. What works only in an
    interpreter is no kernel.

Example
    import triton
    @triton.jit
    def kernel(y_ptr):
        torch.exp(y_ptr)

Use instead
    import triton, triton.language as tl
    @triton.jit
    def kernel(y_ptr):
        tl.store(y_ptr, tl.exp(tl.load(y_ptr)))
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.names import Names, attribute, local_names
from clozekit.rules.reading import decorators, finding, kernels, prefixes, reached, tuned

CODE = "CZ202"
LIBRARIES = frozenset({"triton.language", "triton.cdiv", "triton.next_power_of_2", "triton.constexpr_function", "math"})
BUILTINS = frozenset(
    {"len", "list", "range", "float", "int", "isinstance", "getattr", "hasattr", "print", "min", "max"}
)
# Of a tensor, a descriptor of one, a dtype. `x.numpy()` is none of them.
METHODS = frozenset(
    """
    abs advance argmax argmin associative_scan atomic_add atomic_and atomic_cas atomic_max atomic_min atomic_or
    atomic_xchg atomic_xor broadcast_to cast cdiv ceil cos cumprod cumsum erf exp exp2 expand_dims flip floor gather
    histogram item load log log2 logical_and logical_or max min permute ravel reduce reduce_or reshape rsqrt scatter
    sigmoid sin softmax sort split sqrt sqrt_rn store sum to trans view xor_sum
    """.split()
)  # fmt: skip


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """References count, called or not: a function may also be handed to tl.reduce."""
    jitted = kernels(names)
    if not policy.kernel:
        return
    known = {kernel.name for kernel in jitted} | _compiled(names)
    known |= {target.id for target, value in _assigned(names) if known & _mentioned(value)}
    methods = {id(each) for node in names.nodes if isinstance(node, ast.ClassDef) for each in node.body}
    defined = [node for node in names.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    plain = {node.name for node in defined if id(node) not in methods} - known
    plain |= {target.id for target, value in _assigned(names) if isinstance(value, ast.Lambda)}
    called = {
        node.func.id
        for kernel in jitted
        for node in names.below(kernel)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    handed = _handed(names, known, plain, called - known - BUILTINS)
    for kernel in jitted:
        local = local_names(kernel)
        free = known | (BUILTINS - local) | (handed & local)
        skipped = _annotations(kernel, names)
        for node in (each for statement in kernel.body for each in names.below(statement)):
            if id(node) not in skipped and (used := _foreign(node, names, free, plain - local)):
                yield finding(CODE, "error", node, {"name": used})
    yield from _handed_over(names, defined, plain)
    beside = tuned(names)
    for node in names.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _mentioned(node.value) & known:
            yield finding(CODE, "error", node, {"name": node.attr})  # kernel.fn = host
        elif (
            isinstance(node, ast.Call)
            and "triton.jit" in names.resolve(node.func)
            and "lambda" in reached(node, names, beside)
        ):
            yield finding(CODE, "error", node, {"name": "lambda"})


def _handed_over(names: Names, defined: list, plain: set[str]) -> Iterator[Finding]:
    """kernel[grid](x, FUNCTION=host), where `host` is a function and no parameter of the one that launches."""
    parameters: set[int] = set()
    for function in defined:
        spec = function.args
        own = {arg.arg for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)} & plain
        parameters |= {id(node) for node in names.below(function) if own and getattr(node, "id", "") in own}
    for node in names.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
            for given in (*node.args, *(each.value for each in node.keywords)):
                known = isinstance(given, ast.Name) and given.id in plain and id(given) not in parameters
                if known or isinstance(given, ast.Lambda):
                    yield finding(CODE, "error", given, {"name": getattr(given, "id", "lambda")})


def _foreign(node: ast.AST, names: Names, free: set[str], plain: set[str]) -> str | None:
    """What this node uses that a kernel does not have; None if nothing."""
    if isinstance(node, ast.Lambda):
        return "lambda"
    if isinstance(node, ast.Name) and node.id in plain:
        return node.id
    if isinstance(node, ast.Attribute | ast.Name):  # `torch` alone is told with what is taken from it
        return next((path for path in sorted(names.certain(node)) if not _free(path) and "." in path), None)
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Name):
        told = function.id in plain or names.resolve(function)  # as a reference, or by its path
        return None if told or function.id in free else function.id
    if isinstance(function, ast.Attribute):
        if (
            function.attr in METHODS
            or function.attr in free
            or names.resolve(function)
            or function.attr.startswith("is_")
        ):
            return None
        return function.attr
    paths = names.resolve(function)  # of getattr(tl, "exp")(x)
    return None if attribute(node) or (paths and all(map(_free, paths))) else ast.unparse(function)[:60]


def _free(path: str) -> bool:
    return any(part in LIBRARIES for part in prefixes(path))


def _handed(names: Names, known: set[str], plain: set[str], called: set[str]) -> set[str]:
    """Parameters that are given kernels, and no other function, by every launch and call that names them."""
    given: dict[str, set[str]] = {}
    for node in names.nodes:
        if isinstance(node, ast.keyword) and node.arg in called:
            given.setdefault(node.arg, set()).update(reached(node.value, names))
    return {name for name, found in given.items() if found & known and not found & {*plain, "lambda"}}


def _compiled(names: Names) -> set[str]:
    """Functions that run while a kernel is compiled, on constants."""
    return {
        node.name
        for node in names.nodes
        if isinstance(node, ast.FunctionDef)
        and any("triton.constexpr_function" in names.resolve(each) for each in decorators(node))
    }


def _assigned(names: Names) -> Iterator[tuple[ast.Name, ast.expr]]:
    for node in names.nodes:
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets if isinstance(target, ast.Name))


def _mentioned(value: ast.expr) -> set[str]:
    """The name of `inner`, of `Class.inner`, and of the arguments of `triton.jit(inner)`."""
    if isinstance(value, ast.Attribute):
        return {value.attr}
    arguments = value.args if isinstance(value, ast.Call) else [value]
    return {each.id for each in arguments if isinstance(each, ast.Name)}


def _annotations(kernel: ast.FunctionDef, names: Names) -> set[int]:
    """`y: tl.tensor = ...`: an annotation is never evaluated."""
    found = [node.annotation for node in names.below(kernel) if isinstance(node, ast.AnnAssign)]
    return {id(part) for annotation in found for part in names.below(annotation)}
