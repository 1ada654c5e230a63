"""Run Triton kernels on CPU tensors, in this process, with TRITON_INTERPRET unset.

    interpret.install()                 once, after `import triton` and before the kernels' module is executed
    softmax(torch.randn(4, 1000))       its kernel[grid](...) runs program by program
    interpret.launches                  [Launch(kernel="softmax_kernel", grid=(4, 1, 1),
                                                arguments={"x_ptr": "float32[4, 1000]", "cols": "1000"}, ...)]

Not as on a GPU: programs run one after the other, so that a race must be looked for, see `races`; a masked load without
`other` gives NaN, see `undefined`. Not interpreted: inline assembly, atomics on bfloat16, tl.dot_scaled,
tl.map_elementwise, pointers read from memory (their tensors are no arguments of the launch).
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

from clozekit.kernels import bounds, builder, driver, language, private, races, rewrite
from clozekit.kernels.bounds import Access, OutOfBounds
from clozekit.kernels.language import BUILDER, INTERPRETED
from clozekit.kernels.private import (
    Autotuner,
    CUDAOptions,
    JITCallable,
    JITFunction,
    KernelParam,
    TensorHandle,
    TensorWrapper,
    interpreter,
    mangle_type,
    unwrap,
)
from clozekit.kernels.refusal import refused

__all__ = ["Access", "Launch", "OutOfBounds", "forget", "install", "launches", "observers", "uninstall", "watchers"]


Grid = tuple[int, int, int]


@dataclass(frozen=True)
class Launch:
    """One launch, as its host code asked for it."""

    kernel: str
    grid: Grid
    arguments: dict[str, str]  # as text: "float32[4, 1000]", "1000"
    constexprs: dict[str, Any]
    num_warps: int
    num_stages: int


launches: list[Launch] = []  # since the last forget()
observers: list[Callable[..., None]] = []  # called before the programs of each launch; for `record`
watchers: list[Callable[[Access], None]] = []  # called before each touch of memory; for meters
samplers: list[Callable[[Grid], Iterable[Grid]]] = []  # which programs of a grid run, where not all do; for meters
tuners: list[Callable[[Autotuner, Callable[[], Any]], float]] = []  # how long an autotuner finds a launch to take
_patches = language.Patches()


def install() -> None:
    """Route every launch of this process to the interpreter. A second call does nothing."""
    if _patches.undone:
        return
    language.install(_patches)
    _patches.set(interpreter, "_get_np_dtype", builder.np_dtype)
    _patches.set(interpreter, "_validate_np_data_size", builder.fits)
    _patches.set(interpreter, "InterpretedFunction", JITFunction)  # should a module set TRITON_INTERPRET itself
    _patches.set(JITFunction, "run", run)
    _patches.set(JITFunction, "__call__", _call)
    _patches.set(Autotuner, "_bench", _timed)
    _patches.set(Autotuner, "check_disk_cache", lambda self, key, configs, bench: bench() or False)
    _patches.set(private.driver, "_active", driver.PaperDriver())


def _timed(self: Autotuner, *args: Any, config: Any, **meta: Any) -> list[float]:
    """Autotuner._bench. Where nobody predicts, all configurations are equally fast, and the first is taken."""
    if not tuners:
        return [0.0] * 3
    return [tuners[-1](self, lambda: self.fn.run(*args, **meta, **config.all_kwargs()))] * 3


def uninstall() -> None:
    """Put Triton back as it was."""
    _patches.undo()
    forget()


@contextmanager
def ordered(programs: Callable[[Grid], Iterable[Grid]]) -> Iterator[None]:
    """Meanwhile these programs of a grid run, in this order, and none of the others."""
    samplers.append(programs)
    try:
        yield
    finally:
        samplers.pop()


def forget() -> None:
    """Empty the list of launches."""
    launches.clear()


def run(kernel: JITFunction, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> driver.PaperKernel:
    """JITFunction.run: what kernel[grid](...) calls.

    Raises:
        TypeError, KeyError: arguments that the kernel does not take.
        SyntaxError, NameError: what the compiler would refuse, see `grammar`.
        OutOfBounds: an access outside the tensors.
        Race: a program loads what another one stores.
        Exception: whatever a program raises, as it is.
    """
    keywords = {name: value for name, value in kwargs.items() if name in kernel.signature.parameters}
    options = {name: value for name, value in kwargs.items() if name not in keywords}
    if unknown := options.keys() - CUDAOptions.__dataclass_fields__.keys():
        raise refused(KeyError, "kernel-keyword", name=min(unknown))
    num_warps, num_stages = options.get("num_warps") or 4, options.get("num_stages") or 3
    fixed = {p.name: keywords[p.name] for p in kernel.params if p.is_constexpr and p.name in keywords}
    compiled = driver.PaperKernel(kernel, options | fixed, num_warps, num_stages)
    if warmup:
        return compiled
    for hook in kernel.pre_run_hooks:
        hook(*args, **kwargs)
    bound = kernel.signature.bind(*args, **keywords)
    bound.apply_defaults()
    given = bound.arguments
    size = _grid(grid(dict(given)) if callable(grid) else grid)
    with torch._C.DisableTorchFunction():  # what follows asks tensors where they lie, which no mode needs to hear
        _launch(kernel, size, dict(given), num_warps, num_stages)
    return compiled


def _launch(kernel: JITFunction, size: Grid, given: dict[str, Any], num_warps: int, num_stages: int) -> None:
    """All programs of one launch, in this process."""
    constexprs = {p.name: unwrap(given[p.name]) for p in kernel.params if p.is_constexpr}
    described = {p.name: _describe(given[p.name]) for p in kernel.params if not p.is_constexpr}
    launches.append(Launch(kernel.__name__, size, described, constexprs, num_warps, num_stages))
    for observe in observers:
        observe(kernel, size, given, num_warps=num_warps, num_stages=num_stages)
    function = rewrite.function(kernel)
    programs = races.Programs(kernel.__name__, kernel.fn.__code__.co_filename)
    together = [*watchers] if samplers else [*watchers, lambda access: programs.touched(BUILDER.grid_idx, access)]
    running = builder.Running(kernel.__name__, watchers=together)
    BUILDER.launch = running
    try:
        values = {p.name: _value(given[p.name], p.name, p, running) for p in kernel.params if not p.is_constexpr}
        with np.errstate(all="ignore"):  # a GPU does not warn either
            _programs(function, size, values | constexprs)
        programs.check()
    finally:
        BUILDER.launch = None


def _programs(function: Callable[..., Any], grid: Grid, arguments: dict[str, Any]) -> None:
    BUILDER.set_grid_dim(*grid)
    whole = ((x, y, z) for x in range(grid[0]) for y in range(grid[1]) for z in range(grid[2]))  # a grid may be huge
    for program in samplers[-1](grid) if samplers else whole:
        BUILDER.set_grid_idx(*program)
        function(**arguments)


def _call(function: JITFunction, *args: Any, **kwargs: Any) -> Any:
    """One jitted function called by another."""
    if BUILDER.launch is None:
        raise refused(RuntimeError, "kernel-outside")
    for extra in ("_semantic", "_generator"):
        kwargs.pop(extra, None)
    return rewrite.function(function)(*args, **kwargs)


def _grid(grid: Any) -> Grid:
    if not isinstance(grid, tuple | list):
        raise refused(TypeError, "kernel-grid", grid=repr(grid))
    sizes = [operator.index(unwrap(size)) for size in grid]
    if not 1 <= len(sizes) <= 3 or min(sizes) < 0:
        raise refused(ValueError, "kernel-grid-sizes", grid=tuple(grid))
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z


def _value(value: Any, name: str, parameter: KernelParam, running: builder.Running) -> Any:
    """An argument as the kernel sees it: a tensor as its typed pointer, a number as a scalar."""
    value = unwrap(value)
    if value is None or isinstance(value, JITCallable | tl.dtype):
        return value
    if isinstance(value, tuple):
        items = [_value(item, f"{name}[{i}]", parameter, running) for i, item in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, TensorDescriptor):
        return INTERPRETED.make_tensor_descriptor(
            base=_pointer(value.base, name, running),
            shape=[INTERPRETED.to_tensor(int(length)) for length in value.shape],
            strides=[*(INTERPRETED.to_tensor(int(stride)) for stride in value.strides[:-1]), tl.constexpr(1)],
            block_shape=[tl.constexpr(length) for length in value.block_shape],
            padding_option=value.padding,
        )
    if hasattr(value, "data_ptr"):
        return _pointer(value, name, running)
    if not isinstance(value, bool | int | float):
        raise refused(TypeError, "kernel-argument", kernel=running.kernel, kind=type(value).__name__, name=name)
    known = parameter.annotation_type
    dtype = tl.str_to_ty(known if known and not known.startswith("*") else mangle_type(value), None)
    return INTERPRETED.tensor(BUILDER.scalar(value, dtype), dtype)


def _pointer(tensor: Any, name: str, running: builder.Running) -> Any:
    base = tensor.base if isinstance(tensor, TensorWrapper) else tensor
    if base.device.type != "cpu":
        raise refused(ValueError, "kernel-device", name=name, kernel=running.kernel, device=base.device)
    argument = bounds.Argument.of(name, base)
    running.arguments.append(argument)
    dtype = bounds.ArgumentPointer(tl.str_to_ty(mangle_type(tensor), None), argument)
    return INTERPRETED.tensor(TensorHandle(np.array([argument.start], np.uint64), dtype), dtype)


def _describe(value: Any) -> str:
    """float32[4, 1000], and strides where they are not those of a dense tensor."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_describe, value))})"
    if isinstance(value, TensorDescriptor):
        return f"{_describe(value.base)} in blocks of {list(value.block_shape)}"
    if not hasattr(value, "data_ptr"):
        return repr(value)
    base = value.base if isinstance(value, TensorWrapper) else value
    shape, strides = list(base.shape), list(base.stride())
    dense = all(stride == math.prod(shape[i + 1 :]) or shape[i] == 1 for i, stride in enumerate(strides))
    return f"{str(value.dtype).removeprefix('torch.')}{shape}" + ("" if dense else f" strides {strides}")
