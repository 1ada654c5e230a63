"""A kernel's source, made runnable by Python with the meaning that Triton's compiler gives it.

    n = tl.cdiv(cols, BLOCK)       n = assigned(tl.cdiv(cols, BLOCK))                     a name holds a tensor
    if first and not done:     ->  if truth(both(lambda: first, lambda: invert(done))):   `and` goes element by element
    for i in range(n):             for i in counted(n): ...; same_kinds(...)              i is a tensor; types are kept

Lines stay those of the learner's file, so that tracebacks and messages show them, and no name is added to the learner's
module. What the compiler would refuse is refused first: grammar.py.
"""

import ast
import functools
import types
from collections.abc import Callable
from typing import Any

from clozekit.kernels import bounds, grammar, language, private
from clozekit.kernels.private import JITFunction, core, defined_at, unwrap
from clozekit.kernels.refusal import refused

RUNTIME = "__clozekit_{}__".format
GONE = "__clozekit_gone_"

_functions: dict[Any, types.FunctionType] = {}


def function(kernel: JITFunction) -> types.FunctionType:
    """The kernel as a function that Python can call within a launch.

    Raises:
        SyntaxError, NameError: see `grammar.check`.
    """
    if kernel.fn not in _functions:
        _functions[kernel.fn] = _build(kernel)
    return _functions[kernel.fn]


def truth(value: Any) -> bool:
    """What `if` sees.

    Raises:
        ValueError: a block has many values and no single truth.
    """
    if not isinstance(value, core.tensor):
        return bool(value)
    if value.numel.value > 1:
        raise refused(ValueError, "kernel-truth", kind=_words(value.type))
    return bool(value.handle.data.flat[0])


def _build(kernel: JITFunction) -> types.FunctionType:
    file, first = defined_at(kernel)
    tree = kernel.parse()
    ast.increment_lineno(tree, first - 1)
    definition = tree.body[0]
    learners = not (kernel.module or "").startswith("triton.")
    if learners:
        grammar.check(kernel, definition, file)
    Rewriter(check_types=learners).visit(definition)
    runtime = {
        RUNTIME("assigned"): lambda value: _assigned(value, language.INTERPRETED),
        RUNTIME("truth"): truth,
        RUNTIME("both"): lambda *values: _logical(False, values),
        RUNTIME("either"): lambda *values: _logical(True, values),
        RUNTIME("chain"): _chain,
        RUNTIME("given"): lambda value: lambda: value,
        RUNTIME("invert"): lambda value: value.__not__() if isinstance(value, core.tensor) else not value,
        RUNTIME("value"): lambda constant: getattr(constant, "value", constant),
        RUNTIME("kinds"): _kinds,
        RUNTIME("same_kinds"): _same_kinds,
        RUNTIME("bound_since"): _bound_since,
        "range": language.counted,
        "min": lambda *values: unwrap(core.builtin_min(*values)),
        "max": lambda *values: unwrap(core.builtin_max(*values)),
        "print": lambda *values: core.device_print(*values),
    }
    scope = {name: v for name, v in runtime.items() if name.startswith("__") or name not in kernel.__globals__}
    for name, cell in zip(kernel.fn.__code__.co_freevars, kernel.fn.__closure__ or (), strict=True):
        scope[name] = cell.cell_contents
    maker = ast.FunctionDef(
        name="maker",
        args=ast.arguments([], [ast.arg(name) for name in scope], None, [], [], None, []),
        body=[definition, ast.Return(ast.Name(definition.name, ast.Load()))],
        decorator_list=[],
    )
    namespace: dict[str, Any] = {}
    module = ast.fix_missing_locations(ast.Module([maker], []))
    exec(compile(module, file, "exec", dont_inherit=True), kernel.__globals__, namespace)
    made = namespace["maker"](**scope)
    made.__defaults__, made.__kwdefaults__ = kernel.fn.__defaults__, kernel.fn.__kwdefaults__
    if learners:
        bounds.kernel_code.update(dict.fromkeys(_codes(made.__code__), file))
    return made


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(c for outer in inner for c in _codes(outer))]


class Rewriter(ast.NodeTransformer):
    """The rewriting of the page's head."""

    def __init__(self, check_types: bool):
        self.check_types = check_types
        self.loops = 0
        self.constants: set[str] = set()  # declared by `name: tl.constexpr` alone

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]  # the real ones are set afterwards
        node.args.kw_defaults = [ast.Constant(None) for _ in node.args.kw_defaults]
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        node.body = [inner for statement in node.body for inner in _listed(self.visit(statement))]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.targets[0]) in self.constants:
            return node
        return ast.copy_location(ast.Assign(node.targets, _call("assigned", node.value)), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        constant = ast.unparse(node.annotation).strip("'\"").endswith("constexpr")
        node.value = self.visit(node.value) if node.value else None
        if node.value is None:
            self.constants |= {ast.unparse(node.target)} if constant and private.BARE_CONSTANTS else set()
            return ast.copy_location(ast.Pass(), node)
        value = node.value if constant else _call("assigned", node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        node.value = _call("assigned", node.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return _call("value", node.value) if node.attr == "value" and isinstance(node.ctx, ast.Load) else node

    def visit_If(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        node.test = _call("truth", node.test)
        return node

    visit_IfExp = visit_If

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)  # a device_assert, which is off unless a launch is in debug mode

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        return _call("both" if isinstance(node.op, ast.And) else "either", *map(_later, node.values), at=node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1:
            return node
        pair = ast.arguments([], [ast.arg("x"), ast.arg("y")], None, [], [], None, [])
        x, y = ast.Name("x", ast.Load()), ast.Name("y", ast.Load())
        compares: list[ast.expr] = [ast.Lambda(pair, ast.Compare(x, [op], [y])) for op in node.ops]
        return _call("chain", ast.List(compares, ast.Load()), *map(_later, [node.left, *node.comparators]), at=node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return _call("invert", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        return self.loop(node)

    def visit_While(self, node: ast.While) -> Any:
        self.generic_visit(node)
        node.test = _call("truth", node.test)
        return self.loop(node)

    def loop(self, node: Any) -> list[ast.stmt]:
        """A loop that compares the types of the names it assigns, before the first turn and after each."""
        names = {
            n.id for s in node.body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        if not self.check_types or not names:
            return [node]
        self.loops += 1
        before = RUNTIME(f"before_{self.loops}")
        listed = ast.Tuple([ast.Constant(name) for name in sorted(names) if not name.startswith("__")], ast.Load())
        found = ast.Call(ast.Name("locals", ast.Load()), [], [])
        first = ast.Assign([ast.Name(before, ast.Store())], _call("kinds", listed, found, at=node))
        again = ast.Expr(_call("same_kinds", ast.Name(before, ast.Load()), found, at=node))
        node.body.append(ast.copy_location(again, node))
        gone = ast.Name(f"{GONE}{self.loops}", ast.Store())
        last = ast.Assign([gone], _call("bound_since", ast.Name(before, ast.Load()), listed, found, at=node))
        return [ast.copy_location(each, node) for each in (first, node, last)]


def _listed(result: Any) -> list[ast.stmt]:
    return result if isinstance(result, list) else [result]


def _later(value: ast.expr) -> ast.expr:
    """A function that evaluates it; only a name that it binds must be bound here, and not inside a lambda."""
    if any(isinstance(node, ast.NamedExpr) for node in ast.walk(value)):
        return _call("given", value)
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)


def _call(name: str, *args: ast.expr, at: ast.AST | None = None) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(RUNTIME(name), ast.Load()), list(args), []), at or args[0])


def _assigned(value: Any, semantic: Any) -> Any:
    if isinstance(value, tuple):
        items = [_assigned(item, semantic) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return semantic.to_tensor(value, check_type=False)


def _logical(settles: bool, values: tuple[Any, ...]) -> Any:
    """`and` (which False settles) or `or`: constants cut it short, tensors are combined by element."""
    tensors = []
    for evaluate in values:
        value = evaluate()
        if isinstance(value, core.tensor):
            tensors.append(value)
        elif bool(value) is settles:
            return value
    if not tensors:
        return value
    result = tensors.pop()
    while tensors:
        left = tensors.pop()
        result = left.logical_or(result) if settles else left.logical_and(result)
    return result


def _chain(compares: list[Callable[..., Any]], first: Callable[[], Any], *others: Callable[[], Any]) -> Any:
    """a < b <= c: each operand is evaluated once, and none behind a comparison of constants that is false."""
    left = first()

    def compared(compare: Callable[..., Any], operand: Callable[[], Any]) -> Any:
        nonlocal left
        before, left = left, operand()
        return compare(before, left)

    pairs = zip(compares, others, strict=True)
    return _logical(False, tuple(functools.partial(compared, *pair) for pair in pairs))


def _kinds(names: tuple[str, ...], found: dict[str, Any]) -> dict[str, Any]:
    """Types of those that hold a tensor; Triton forgets with a loop what was first bound in it."""
    gone = [each for name, each in found.items() if name.startswith(GONE)]
    return {
        name: found[name].type
        for name in names
        if isinstance(found.get(name), core.tensor) and not any(each.get(name) is found[name] for each in gone)
    }


def _bound_since(before: dict[str, Any], names: tuple[str, ...], found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found and name not in before}


def _same_kinds(before: dict[str, Any], found: dict[str, Any]) -> None:
    for name, kind in before.items():
        now = getattr(found[name], "type", None)
        if now != kind:
            raise refused(TypeError, "kernel-changes", name=name, before=_words(kind), after=_words(now))


def _words(kind: Any) -> str:
    """fp32[16, 64]"""
    if not isinstance(kind, core.dtype):
        return "no tensor"
    shape = [unwrap(length) for length in kind.shape] if kind.is_block() else []
    return str(kind.scalar) + (str(shape) if shape else "")
