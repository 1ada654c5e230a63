"""Which addresses a launch may touch. The interpreter follows raw pointers: each access is checked before it happens.

    softmax_kernel, line 14: `x = tl.load(ptr + cols)` loads element 4000 of x_ptr, which has 4000 elements
    (shape [4, 1000]); 24 lanes are out of bounds: is a mask missing?

A pointer remembers its tensor: the type of `x_ptr` is an `ArgumentPointer`, and types survive arithmetic, broadcasting
and casts. So a stray read of x is caught even where the next tensor's memory begins right behind it.
"""

import linecache
import math
import sys
import types
from typing import Any, NamedTuple

import numpy as np
import triton.language as tl

from clozekit.kernels.refusal import refused

kernel_code: dict[types.CodeType, str] = {}  # learners' kernels and helpers, and the file they are in


class Argument(NamedTuple):
    """A tensor argument. Of a view, what counts is the span from its first to its last element."""

    name: str
    start: int  # address of the first element
    stop: int  # address behind the last element
    size: int  # bytes of an element
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, name: str, tensor: Any) -> "Argument":
        """The span of a torch tensor."""
        shape, strides = tuple(tensor.shape), tuple(tensor.stride())
        last = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
        span = last + 1 if math.prod(shape) else 0
        start = tensor.data_ptr()
        return cls(name, start, start + span * tensor.element_size(), tensor.element_size(), shape, strides)

    def holds(self, low: int, high: int) -> bool:
        """Whether the bytes from low up to high are all this tensor's."""
        return self.start <= low and high <= self.stop

    @property
    def elements(self) -> int:
        """How many there are to index."""
        return (self.stop - self.start) // self.size


class ArgumentPointer(tl.pointer_type):
    """The type of a pointer into one known argument; equal to the plain pointer type."""

    def __init__(self, plain: tl.pointer_type, argument: Argument):
        super().__init__(plain.element_ty, plain.address_space, plain.const)
        self.argument = argument

    __hash__ = tl.pointer_type.__hash__


class Access(NamedTuple):
    """One load, store or atomic of one program: what a meter gets to see, before it happens."""

    kind: str  # "load", "store" or "atomic"
    pointers: np.ndarray  # addresses, uint64
    mask: np.ndarray | None  # lanes that take part; None: all
    size: int  # bytes of an element
    line: int | None  # in the kernel's file
    argument: Argument | None  # None: a pointer made of an integer, or chosen between two tensors


def kernel_frame(frame: types.FrameType | None) -> types.FrameType | None:
    """The innermost kernel or helper among a frame and its callers."""
    while frame is not None and frame.f_code not in kernel_code:
        frame = frame.f_back
    return frame


def source(frame: types.FrameType | None) -> str:
    """What a frame is doing, as the learner wrote it, on one line."""
    if frame is None:
        return ""
    first, last, *_ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    lines = range(first or frame.f_lineno, (last or frame.f_lineno) + 1)
    file = kernel_code[frame.f_code]
    return " ".join(linecache.getline(file, line).split("  #")[0].strip() for line in lines)


class OutOfBounds(IndexError):
    """A kernel reached outside its tensors. The facts are attributes; without a tensor to blame `argument` is None."""

    def __init__(self, kernel: str, access: Access, text: str, address: int, lanes: int):
        argument = access.argument
        self.operation = access.kind
        self.kernel = kernel
        self.line = access.line
        self.text = text
        self.argument = argument.name if argument else None
        self.shape = argument.shape if argument else None
        self.index = (address - argument.start) // argument.size if argument else None
        self.lanes = lanes
        facts: dict[str, object] = {"kernel": kernel, "line": self.line or "?", "code": self.text, "lanes": lanes}
        place = "kernel-nowhere"
        if argument:
            dense = argument.elements == math.prod(argument.shape)
            place = "kernel-element" if dense else "kernel-element-spans"
            facts |= {"index": self.index, "tensor": self.argument, "elements": argument.elements}
            facts |= {
                "s": "s" * (argument.elements != 1),
                "shape": list(argument.shape),
                "strides": list(argument.strides),
            }
        count = "kernel-lane" if lanes == 1 else "kernel-lanes"
        advice = "kernel-unmasked" if access.mask is None or access.mask.all() else "kernel-mask"
        told = refused(IndexError, f"kernel-{self.operation} {place} {count} {advice}", **facts)
        super().__init__(str(told))
        self.problem = told.problem  # type: ignore[attr-defined]


def check(access: Access, arguments: list[Argument], kernel: str) -> None:
    """Refuse an access that leaves the memory of the launch.

    Raises:
        OutOfBounds: a lane that is not masked off lies in no tensor argument, or not in the one its pointer came from.
    """
    lanes = access.pointers
    allowed = arguments if access.argument is None else [access.argument]
    if not lanes.size or _within(lanes, access.size, allowed):
        return
    if access.mask is not None:  # only now, as most accesses are in bounds even where they are masked off
        lanes = lanes[np.broadcast_to(access.mask, lanes.shape)]
    bad = np.ones(lanes.shape, bool)
    for argument in allowed:
        if argument.stop - argument.start >= access.size:
            bad &= (lanes < argument.start) | (lanes > argument.stop - access.size)
    if bad.any():
        text = source(kernel_frame(sys._getframe()))
        raise OutOfBounds(kernel, access, text, int(lanes[bad].flat[0]), int(bad.sum()))


def _within(lanes: np.ndarray, size: int, allowed: list[Argument]) -> bool:
    low, high = int(lanes.min()), int(lanes.max()) + size
    return any(argument.holds(low, high) for argument in allowed)
