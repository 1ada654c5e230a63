"""triton.language, callable from a kernel that Python runs.

    tl.load(x_ptr + cols)                   ValueError: Did you forget to add @triton.jit?
    tl.load(x_ptr + cols)                   while a launch runs: _semantic=INTERPRETED
    tl.load(pointer, _semantic=compiling)   the compiler: as ever

The functions of triton.language want to be told who calls, a compiler or an interpreter. The stock interpreter tells
them by replacing some 300 attributes at every call of every helper, `tl.sum` and `tl.cdiv` included. Here they are
replaced once, by functions that take the interpreter's part only where the caller names none and a launch is running;
a compilation in the same process sees no difference.
"""

import builtins
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import triton.language as tl
from triton.language.extra import libdevice as generic_libdevice
from triton.language.extra.cuda import libdevice as cuda_libdevice
from triton.language.extra.cuda import utils as cuda_utils

from clozekit.kernels import builder, reductions
from clozekit.kernels.private import CodeGenerator, JITFunction, TensorHandle, TritonSemantic, core, unwrap
from clozekit.kernels.refusal import refused

BUILDER = builder.Builder()
INTERPRETED = TritonSemantic(BUILDER)
ABSENT = object()

NAMESPACES = (tl, core, core.tensor, core.tensor_descriptor_base, tl.math, cuda_libdevice, cuda_utils)
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


class Patches:
    """Attributes set, and what they were."""

    def __init__(self) -> None:
        self.undone: list[tuple[Any, str, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Like setattr, and remembered."""
        self.undone.append((owner, name, vars(owner).get(name, ABSENT)))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Put everything back, last first."""
        while self.undone:
            owner, name, value = self.undone.pop()
            if value is ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def install(patches: Patches) -> None:
    """Make the language callable from interpreted kernels."""
    instead = {
        core.reduce: reductions.reduce,
        core.tensor.reduce: reductions.reduce,
        core.associative_scan: reductions.scan,
        core.tensor.associative_scan: reductions.scan,
        core.static_assert: _static_assert,
        core.static_print: print,
        core.multiple_of: _hint,
        core.max_contiguous: _hint,
        core.max_constancy: _hint,
    }
    # the compiler runs these two itself, and knows them by identity
    static = CodeGenerator.statically_implemented_functions
    themselves = [core.static_assert, core.static_print]
    forwards = functools.cache(lambda function: _forward(function, instead.get(function)))
    for namespace in NAMESPACES:
        for name, member in list(vars(namespace).items()):
            if inspect.isfunction(member) and _asks_who_calls(member, namespace):
                patches.set(namespace, name, forwards(member))
    for name, stub in list(vars(generic_libdevice).items()):
        if inspect.isfunction(stub) and hasattr(cuda_libdevice, name):
            patches.set(generic_libdevice, name, _libdevice(stub, getattr(cuda_libdevice, name)))
    known = {forwards(function): static[function] for function in themselves}
    patches.set(CodeGenerator, "statically_implemented_functions", {**static, **known})
    _values(patches)
    _loops(patches)


def _asks_who_calls(member: Any, namespace: Any) -> bool:
    """A builtin; or x.exp() and its like, which the compiler tells by the tensor that they are bound to, not by a mark."""
    return core.is_builtin(member) or (namespace is core.tensor and "_semantic" in inspect.signature(member).parameters)


def _forward(function: Any, instead: Any) -> Any:
    """The function, called for the interpreter where nobody else is named."""
    bare = getattr(function, "__wrapped__", function)  # without the check that a semantic is given
    run = instead or functools.partial(bare, _semantic=INTERPRETED)

    @functools.wraps(function)
    def forward(*args: Any, _semantic: Any = None, **kwargs: Any) -> Any:
        if _semantic is None and BUILDER.launch is not None:
            return run(*args, **kwargs)
        if _semantic is INTERPRETED and instead is not None:
            kwargs.pop("_generator", None)
            return instead(*args, **kwargs)
        return function(*args, **kwargs, _semantic=_semantic)

    return forward


def _libdevice(stub: Any, implementation: Any) -> Any:
    """`triton.language.extra.libdevice` is a list of names; the compiler finds CUDA's by name, so the name stays."""

    @functools.wraps(stub)
    def function(*args: Any) -> Any:
        return implementation(*args) if BUILDER.launch is not None else stub(*args)

    return function


def _static_assert(condition: Any, message: Any = "") -> None:
    value = unwrap(condition)
    if not isinstance(value, bool):
        raise refused(TypeError, "kernel-assert")
    if not value:
        raise AssertionError(message)


def _hint(value: Any, values: Any) -> Any:
    return value


def _values(patches: Patches) -> None:
    """Types, tensors and constants where the compiler's syntax walker would have stepped in."""
    to_ir, transposed = core.dtype.to_ir, core.tensor.T
    patches.set(core.dtype, "to_ir", lambda self, target: self if target is BUILDER else to_ir(self, target))

    def transpose(self: Any) -> Any:
        if not isinstance(self.handle, TensorHandle):
            return transposed.fget(self)
        return INTERPRETED.permute(self, (1, 0))

    patches.set(core.tensor, "T", property(transpose))

    def bind(self: Any, instance: Any, owner: Any = None) -> Any:
        """x.sum(0): a jitted function that is also a method of tensors."""
        own = isinstance(instance, core.tensor) and isinstance(instance.handle, TensorHandle)
        return functools.partial(self, instance) if own else self

    patches.set(JITFunction, "__get__", bind)
    for name in (*ARITHMETIC, *COMPARISONS):
        for method in (f"__{name}__", f"__r{name}__"):
            if method in vars(core.constexpr):
                patches.set(core.constexpr, method, _yielding(vars(core.constexpr)[method]))


def _yielding(method: Any) -> Any:
    """constant * tensor is the tensor's business, or the product would count as a constant."""

    @functools.wraps(method)
    def operator(self: Any, other: Any) -> Any:
        return NotImplemented if isinstance(other, core.tensor) else method(self, other)

    return operator


def _loops(patches: Patches) -> None:
    """tl.range and tl.static_range can be iterated, and take plain numbers as constants."""
    start = core.static_range.__init__

    def constant(self: Any, arg1: Any, arg2: Any = None, step: Any = None) -> None:
        if BUILDER.launch is not None:
            arg1, arg2, step = (core.constexpr(v) if isinstance(v, int) else v for v in (arg1, arg2, step))
        start(self, arg1, arg2, step)

    patches.set(core.static_range, "__init__", constant)
    numbers = lambda self: iter(builtins.range(self.start.value, self.end.value, self.step.value))  # noqa: E731
    patches.set(core.static_range, "__iter__", numbers)
    patches.set(core.range, "__iter__", lambda self: counted(self.start, self.end, self.step))


def counted(*bounds: Any) -> Iterator[Any]:
    """range(...) of a kernel: its bounds are integers or scalar tensors, its items scalar tensors.

    Raises:
        TypeError: a bound is no integer, or no scalar.
    """
    ends = [INTERPRETED.to_tensor(bound) for bound in bounds]
    for end in ends:
        if not end.dtype.is_int() or end.type.is_block():
            raise refused(TypeError, "kernel-range")
    kind = functools.reduce(INTERPRETED.integer_promote_impl, (end.dtype for end in ends), core.int32)
    for i in builtins.range(*(int(end.handle.data.item()) for end in ends)):
        yield INTERPRETED.tensor(BUILDER.scalar(i, kind), kind)
