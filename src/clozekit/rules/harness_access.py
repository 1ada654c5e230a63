"""CZ102 harness-access

What it does
    Reports what reaches into the judge, the interpreter or the machine: threads, processes, frames, sys.modules, the
    private parts of torch, its compilers and operator registry; changes to a library's own attributes; and questions
    about the mode that a call runs in. `torch.jit.script` is free; it gives its function back.

Why is this bad?
    An answer computes a result from its arguments. What lies below torch's public functions can do the exercise's work,
    or hide who did.

Example
    return torch._C._nn.gelu(x)

Use instead
    return F.gelu(x)
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.bindings import imported, stored
from clozekit.rules.names import Names
from clozekit.rules.reading import MACHINE, finding, own_objects, prefixes

CODE = "CZ102"
TORCH = frozenset(
    """
    _C _VF _awaits _classes _compile _custom_op _custom_ops _decomp _deploy _dispatch _dynamo _environment
    _export _functorch _guards _higher_order_ops _inductor _jit_internal _lazy _library _linalg_utils _lobpcg
    _logging _lowrank _meta_registrations _namedtensor_internals _numpy _ops _opaque_base _prims _prims_common
    _python_dispatcher _refs _sources _streambase _strobelight _subclasses _tensor _tensor_str
    _thread_safe_fork _utils _utils_internal _vendor _views _vmap_internals _weights_only_unpickler
    _VariableFunctions ops library jit compile compiler fx overrides hub load save serialization package
    export onnx multiprocessing distributed classes utils._python_dispatch utils._pytree utils.cpp_extension
    utils._triton nn.attention._utils testing._internal autograd.graph.saved_tensors_hooks futures
    """.split()
)  # fmt: skip
PATHS = frozenset(f"torch.{path}" for path in TORCH) | {
    "triton._C", "triton.runtime.interpreter", "triton.runtime._allocation", "triton.backends", "triton.compiler",
    "numpy.ctypeslib", "numpy.f2py", "numpy.distutils", "numpy.testing", "numpy.core", "numpy._core",
}  # fmt: skip
SCRIPT = frozenset(f"torch.jit.{name}" for name in "script ignore unused export Final annotate".split())  # no-ops here
# What only an answer asks that behaves differently while it is watched. torch.is_grad_enabled is free.
MODES = frozenset({
    "torch.is_inference_mode_enabled", "torch.is_inference", "torch.Tensor.is_inference", "is_inference",
    "torch.overrides", "torch.utils._python_dispatch", "_python_dispatch",
    "sys.gettrace", "sys.settrace", "sys.getprofile", "sys.setprofile", "sys.monitoring",
})  # fmt: skip
# Attributes that say by themselves what they reach, whatever the owner.
ATTRIBUTES = frozenset(path for path in TORCH if path.startswith("_")) | {
    "_python_dispatch", "is_inference", "_DisableTorchDispatch", "_DisableTorchFunction", "_disabled_torch_function_impl",
}  # fmt: skip
ATTRIBUTES -= {"_compile", "_views", "_tensor", "_utils", "_library", "_classes", "_dispatch", "_sources", "_logging"}
# The same of modules, of what is no library as far as can be read; some of their names are also words.
BY_NAME = MACHINE - {"code", "concurrent", "resource", "signal", "site"}
SYS = frozenset(
    [
        "stdout",
        "stderr",
        "stdin",
        "maxsize",
        "float_info",
        "version",
        "version_info",
        "platform",
        "byteorder",
        "argv",
        "exit",
        "setrecursionlimit",
        "getrecursionlimit",
        "getsizeof",
        "intern",
        "maxunicode",
        "hash_info",
        "int_info",
        "implementation",
        "executable",
        "float_repr_style",
    ]
)
OS = frozenset(["environ", "getenv", "path", "cpu_count", "sep", "linesep", "name", "curdir"])
ALLOWED = {f"sys.{name}" for name in SYS} | {f"os.{name}" for name in OS}
SETTINGS = ("torch.backends.", "numpy.random.", "torch.cuda.", "triton.knobs.")
LIBRARIES = frozenset({"torch", "numpy", "triton", "einops", "typing", "math", "builtins", "sys"})


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Every reference and import of a path that is closed, and every assignment to a library's attribute."""
    own = own_objects(names)
    inner: set[int] = set()  # parts of an attribute that was found already
    for node in names.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, path in imported(node):
                if not path.startswith(".") and (bad := _closed(path, policy, star=alias.name == "*")):
                    yield _reach(alias, bad)
        elif isinstance(node, ast.MatchClass):
            yield from (finding(CODE, "error", node, {"path": name}) for name in node.kwd_attrs if name in ATTRIBUTES)
        elif isinstance(node, ast.Attribute | ast.Name | ast.Call) and id(node) not in inner:
            if isinstance(node, ast.Name) and stored(node):
                continue
            if isinstance(node, ast.Attribute) and names.resolve(node) & SCRIPT:
                inner.add(id(node.value))  # the torch.jit in it
            bad = next(filter(None, (_closed(path, policy) for path in sorted(names.resolve(node)))), None)
            if not bad and isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES and id(node.value) not in own:
                bad = node.attr
            if not bad and isinstance(node, ast.Attribute) and id(node.value) not in own and _is_machine(node, names):
                bad = node.attr
            if bad:
                inner.update(map(id, names.below(node)))
                yield _reach(node, bad)
    yield from _changes(names)


def _reach(node: ast.AST, path: str) -> Finding:
    return finding(CODE, "error", node, {"path": path}, f"{CODE}-mode" if path in MODES else "")


def _is_machine(node: ast.Attribute, names: Names) -> bool:
    """Whether an attribute has the name of a closed module, and its owner is unknown: `warnings.catch_warnings()._module.sys`."""
    if not {node.attr, node.attr.lstrip("_")} & BY_NAME or names.resolve(node):
        return False
    return not any(
        getattr(each, "attr", "") == node.attr and isinstance(each.ctx, ast.Store)  # type: ignore[attr-defined]
        for each in names.nodes
        if isinstance(each, ast.Attribute)
    )


def _closed(path: str, policy: Policy, star: bool = False) -> str | None:
    """The part of a path that is closed; None if it is free."""
    parts = path.split(".")
    if path in SCRIPT or any(path == each or path.startswith(f"{each}.") for each in policy.imports):
        return None
    if parts[0] in ("os", "sys"):
        if len(parts) == 1:
            return None  # only what is taken from it counts
        known = ".".join(parts[:2])
        if known not in ALLOWED or star:
            return known
    elif parts[0] in MACHINE:
        return parts[0]
    for i, part in enumerate(parts[1:], 1):
        if part.lstrip("_") in MACHINE and not (part == "signal" and i == 1 and parts[0] in ("torch", "scipy")):
            return ".".join(parts[: i + 1])
    return next((each for each in prefixes(path) if each in PATHS | MODES), None)


def _changes(names: Names) -> Iterator[Finding]:
    """torch.equal = ..., setattr(torch, "equal", ...), and sys or os used as a value."""
    owners = {id(node.value) for node in names.nodes if isinstance(node, ast.Attribute)}
    reads = {"getattr", "hasattr", "isinstance", "print", "type", "help", "dir", "id"}
    for node in names.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            owner = node.args[0]
            if node.func.id in ("setattr", "delattr"):
                for path in names.certain(owner):
                    if path.split(".")[0] in LIBRARIES and not f"{path}.".startswith(SETTINGS):
                        yield finding(CODE, "error", node, {"path": path}, f"{CODE}-change")
            elif node.func.id in reads:
                owners.add(id(owner))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            for path in names.certain(node.value):
                if path.split(".")[0] in LIBRARIES and not f"{path}.".startswith(SETTINGS):
                    path = f"{path}.{node.attr}"
                    yield finding(CODE, "error", node, {"path": path}, f"{CODE}-change")
    assigned = {id(node.value) for node in names.nodes if isinstance(node, ast.Assign | ast.AnnAssign)}
    used = owners | assigned
    for node in names.nodes:
        if isinstance(node, ast.Name) and not stored(node) and id(node) not in used:
            for path in names.certain(node) & {"os", "sys"}:
                yield finding(CODE, "error", node, {"path": path})
