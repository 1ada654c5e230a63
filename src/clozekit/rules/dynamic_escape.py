"""CZ101 dynamic-escape

What it does
    Reports ways to reach a function by a name that is not written down: eval, exec, compile, __import__, globals(),
    getattr with a computed name, attributes such as __dict__, __globals__ or __subclasses__, a whole library handed to
    a function that is not the file's own.

Why is this bad?
    What a file does must be readable in its text. None of the exercises needs more.

Example
    return eval("x * rms")

Use instead
    return x * rms
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.bindings import stored, target_name
from clozekit.rules.names import CONTAINERS, ITEMS, MODULES, Names
from clozekit.rules.reading import MACHINE, builtins_used, finding, own_objects

CODE = "CZ101"
BUILTINS = frozenset({"exec", "eval", "compile", "globals", "__import__", "__builtins__", "__loader__", "__spec__"})
SCOPES = frozenset({"vars", "locals"})
BY_NAME = frozenset({"getattr", "setattr", "delattr"})
ATTRIBUTES = frozenset(
    """
    __dict__ __subclasses__ __globals__ __code__ __closure__ __bases__ __base__ __mro__ mro __builtins__
    __getattribute__ __import__ __loader__ __spec__ __traceback__ __self__ __reduce__ __reduce_ex__
    __subclasshook__ __build_class__ f_back f_locals f_globals f_builtins f_code tb_frame tb_next gi_frame
    gi_code cr_frame cr_code ag_frame ag_code co_code co_consts co_names _getframe _current_frames
    """.split()
)  # fmt: skip
PATHS = frozenset({
    "operator.attrgetter", "operator.methodcaller", "string.Formatter", "typing.get_type_hints", "typing.ForwardRef",
    "typing.evaluate_forward_ref", "dataclasses.make_dataclass", "types.FunctionType", "types.LambdaType",
    "types.CodeType", "types.FrameType", "types.CellType", "types.TracebackType", "types.new_class", "types.resolve_bases",
    "logging.config", "logging.handlers", "numpy.load", "numpy.fromfile", "numpy.save", "numpy.memmap",
    "numpy.lib.format", "timeit.timeit", "timeit.repeat", "timeit.Timer",
})  # fmt: skip
READS = frozenset({"getattr", "hasattr", "isinstance", "print", "type", "help", "dir", "id", "repr", "str"})
BY_FUNCTION = frozenset({"type", "sorted", "max", "min"})  # with more arguments they do more than ask or hold
UNKNOWN = None  # a text that cannot be read from the file


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Built-in functions and attributes by which a program looks at itself."""
    own = own_objects(names)
    shady = ATTRIBUTES | MACHINE | {path.rpartition(".")[2] for path in policy.forbid}
    calls = {id(node.func): node for node in names.nodes if isinstance(node, ast.Call)}
    splat = {id(node.value) for node in names.nodes if isinstance(node, ast.keyword) and node.arg is None}
    for used in builtins_used(names, BUILTINS):
        yield finding(CODE, "error", used, {"name": used.id})
    for used in builtins_used(names, SCOPES):
        call = calls.get(id(used))
        if call and (id(call) in splat or (call.args and id(call.args[0]) in own)):
            continue
        yield finding(CODE, "error", used, {"name": used.id})
    for used in builtins_used(names, BY_NAME):
        yield from _by_name(used, calls.get(id(used)), names, own, shady)
    yield from _handed_on(names)
    for node in names.nodes:
        if isinstance(node, ast.Attribute):
            yield from _attribute(node, own, names)
        elif isinstance(node, ast.MatchClass):
            yield from (finding(CODE, "error", node, {"name": name}) for name in node.kwd_attrs if name in ATTRIBUTES)
        if isinstance(node, ast.Attribute | ast.Name) and not _is_stored(node):
            for path in names.resolve(node) & PATHS:
                call = calls.get(id(node))
                if path.startswith("operator.") and call and call.args and all(map(_is_harmless, call.args)):
                    continue
                yield finding(CODE, "error", node, {"name": path})
        elif isinstance(node, ast.ImportFrom):
            paths = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (
                finding(CODE, "error", node, {"name": path})
                for path in sorted(paths & PATHS)
                if not path.startswith("operator.")
            )


def _handed_on(names: Names) -> Iterator[Finding]:
    """torch itself as an argument: what becomes of it in a function that is not written here cannot be followed."""
    gone = {node.id for node in names.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}
    whole = {node.name for node in names.nodes if isinstance(node, ast.ClassDef) and not _has_parameters(node)}
    functions = (READS | CONTAINERS) - names.values - names.paths.keys() | (
        names.defined.keys() | names.lambdas
    ) - gone - whole
    for target, value in names.pairs:  # `x[0]` of an object that says `__getitem__`, and the like
        if isinstance(target, ast.Name) and target.id.startswith("__") and target.id.endswith("__()"):
            for path in sorted(names.resolve(value) & MODULES)[:1]:
                yield finding(CODE, "error", value, {"name": path}, f"{CODE}-handed")
    for node in names.nodes:
        if not isinstance(node, ast.Call) or isinstance(node.func, ast.Lambda):
            continue
        function = node.func
        asks = len(node.args) == 1 and not any(
            each.arg == "key" for each in node.keywords
        )  # type(x); not sorted(x, key=f)
        if isinstance(function, ast.Name) and function.id in functions and (asks or function.id not in BY_FUNCTION):
            continue
        if isinstance(function, ast.Attribute) and function.attr in ITEMS - {"setdefault"} | names.methods:
            continue
        if "contextlib.nullcontext" in names.resolve(function):
            continue  # `with` hands it back
        for value in (*node.args, *(each.value for each in node.keywords)):
            for path in sorted(names.certain(value) & MODULES)[:1]:
                yield finding(CODE, "error", value, {"name": path}, f"{CODE}-handed")


def _has_parameters(owner: ast.ClassDef) -> bool:
    """Whether what a class is called with is given to names of this file: __init__ or the fields of a dataclass."""
    return any(isinstance(each, ast.AnnAssign) or getattr(each, "name", "") == "__init__" for each in owner.body)


def _attribute(node: ast.Attribute, own: set[int], names: Names) -> Iterator[Finding]:
    if node.attr == "__class__" and _is_stored(node):
        yield finding(CODE, "error", node, {"name": node.attr})
    elif node.attr in ATTRIBUTES and not (node.attr == "mro" and not names.resolve(node.value)):
        mild = node.attr == "__dict__" and id(node.value) in own  # self.__dict__ is an old habit
        yield finding(CODE, "warning" if mild else "error", node, {"name": node.attr})


def _by_name(
    node: ast.Name, call: ast.Call | None, names: Names, own: set[int], shady: frozenset[str]
) -> Iterator[Finding]:
    """getattr(owner, name): free with a name that can be read; on `self` a warning at most."""
    if not call or len(call.args) < 2:
        yield finding(CODE, "error", node, {"name": node.id})
        return
    owner, name = call.args[:2]
    texts = _texts(name, names)
    if texts is not UNKNOWN:
        found = sorted(texts & ATTRIBUTES)
        if found or (len(texts) > 1 and names.certain(owner)):
            yield finding(CODE, "error", node, {"name": found[0] if found else node.id})
    elif _is_field(name, names) and not names.certain(owner):
        return
    elif id(owner) in own:
        if node.id == "getattr" and not _has_plain_end(name, ATTRIBUTES):
            yield finding(CODE, "warning", node, {"name": node.id})
    elif names.certain(owner) or not _has_plain_end(name, shady):
        yield finding(CODE, "error", node, {"name": node.id})


def _is_field(node: ast.expr, names: Names) -> bool:
    """`f.name`, where f is nothing but a field of a dataclass, none of which has a name of concern."""
    if not (isinstance(node, ast.Attribute) and node.attr == "name" and isinstance(node.value, ast.Name)):
        return False
    name = node.value.id
    sources = {id(target): value for target, value in names.pairs if target_name(target) == name}
    fields = [
        sources.get(id(each))
        for each in names.nodes
        if (isinstance(each, ast.Name) and each.id == name and stored(each))
        or (isinstance(each, ast.arg) and each.arg == name)
    ]
    shady = any(
        isinstance(each, ast.AnnAssign) and target_name(each.target) in ATTRIBUTES | {f".{name}" for name in ATTRIBUTES}
        for each in names.nodes
    )
    return not shady and all(
        isinstance(each, ast.Call) and names.resolve(each.func) == {"dataclasses.fields"} for each in fields
    )


def _texts(node: ast.expr, names: Names) -> set[str] | None:
    """Every text that a name of an attribute may be; None if that cannot be read from the file."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.Name):
        values = names.texts.get(node.id)
        if values is None:
            return UNKNOWN
        found = [_items(value) for value in values]
        return UNKNOWN if any(each is None for each in found) else set().union(*(each or () for each in found))
    if isinstance(node, ast.IfExp):
        left, right = _texts(node.body, names), _texts(node.orelse, names)
        return UNKNOWN if left is None or right is None else left | right
    return UNKNOWN


def _items(node: ast.expr) -> set[str] | None:
    """The texts of a literal, or of a literal tuple or list of them; a text counts as its letters as well."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value, *node.value}
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        found = [_items(each) for each in node.elts]
        return UNKNOWN if any(each is None for each in found) else set().union(*(each or () for each in found))
    return UNKNOWN


def _has_plain_end(node: ast.expr, shady: frozenset[str]) -> bool:
    """An f-string or sum that begins or ends with a text of letters, which no attribute of concern does."""
    if isinstance(node, ast.JoinedStr) and node.values:
        ends = [node.values[0], node.values[-1]]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            left = left.left
        ends = [left, node.right]
    else:
        return False
    first, last = (each.value if isinstance(each, ast.Constant) else None for each in ends)
    if isinstance(first, str) and first.strip("_") and not any(name.startswith(first) for name in shady):
        return True
    return isinstance(last, str) and bool(last.strip("_")) and not any(name.endswith(last) for name in shady)


def _is_harmless(node: ast.expr) -> bool:
    """A literal that names one attribute, of no concern; a dotted one is a path that no other rule would see."""
    if not isinstance(node, ast.Constant):
        return False
    return not isinstance(node.value, str) or (node.value.isidentifier() and node.value not in ATTRIBUTES)


def _is_stored(node: ast.Attribute | ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store | ast.Del)
