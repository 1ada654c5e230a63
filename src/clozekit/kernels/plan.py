"""What the host did in one call, as a program that runs again without it, on other inputs of the same layout.

softmax(x)  ->  Plan(
    steps=[Allocate(512), Launch("softmax_kernel", line=6, grid=[4, 1, 1], arguments={
        "y_ptr": View(1, "float32", 0, [4, 32], [32, 1]), "x_ptr": View(0, ...), "cols": 32, "BLOCK": 32}, ...)],
    answer=View(1, "float32", 0, [4, 32], [32, 1]))

Buffers are numbered: first the tensors among the arguments, then each allocation. A plan comes from the learner's process:
it is checked before it is believed, and then run without a line of the learner's host code. No torch here.
"""

import math
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

MEMORY = 1 << 30  # bytes that one plan may allocate
UNKNOWN = -1  # a buffer that no recorded operation made

Size = Annotated[int, Meta(ge=0, le=1 << 40)]
Name = Annotated[str, Meta(max_length=200)]
Axes = Annotated[list[Size], Meta(max_length=16)]
WIDTHS = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}


class View(Struct, tag="view", frozen=True):
    """A tensor in a buffer; `offset` in bytes, strides in elements."""

    buffer: int
    dtype: Name
    offset: Size
    shape: Axes
    strides: Axes

    @property
    def span(self) -> int:
        """Bytes from the first to the last element."""
        if not math.prod(self.shape):
            return 0
        last = sum((length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True))
        return (last + 1) * WIDTHS[self.dtype]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * WIDTHS[self.dtype]


class Descriptor(Struct, tag="descriptor", frozen=True):
    """A tensor descriptor made on the host."""

    base: View
    shape: Axes
    strides: Axes
    block: Axes
    padding: Name


class Kind(Struct, tag="kind", frozen=True):
    """A dtype of triton.language, by its name there."""

    name: Name


class Function(Struct, tag="function", frozen=True):
    """A jitted function of the submission, by the line on which it (or its first decorator) begins."""

    name: Name
    line: int


Number = bool | int | float
Single = None | Number | Name | View | Descriptor | Kind | Function


class Many(Struct, tag="many", frozen=True):
    """A tuple, of nothing nested; with `names` a named one."""

    items: Annotated[list[Single], Meta(max_length=100)]
    names: Annotated[list[Name], Meta(max_length=100)] = []


Argument = Single | Many


class Allocate(Struct, tag="allocate", frozen=True):
    """A new buffer, its contents undefined."""

    size: Size


class Fill(Struct, tag="fill", frozen=True):
    """One number everywhere in a view."""

    target: View
    number: Number


class Copy(Struct, tag="copy", frozen=True):
    """A copy by the host, converting where the dtypes differ."""

    source: View
    target: View


class Launch(Struct, tag="launch", frozen=True):
    """One launch of a kernel of the submission. `captured`: constants and other kernels that it names."""

    kernel: Function
    grid: Annotated[list[Size], Meta(min_length=3, max_length=3)]
    arguments: Annotated[dict[Name, Argument], Meta(max_length=500)]
    captured: Annotated[dict[Name, Single], Meta(max_length=500)] = {}
    num_warps: Size = 4
    num_stages: Size = 3


Step = Allocate | Fill | Copy | Launch


class Plan(Struct, frozen=True):
    """One call. `host` counts what the host computed or read beside it, by name: nothing, in an honest call."""

    steps: Annotated[list[Step], Meta(max_length=10_000)] = []
    answer: Argument = None
    host: Annotated[dict[Name, int], Meta(max_length=200)] = {}


class Counts(Struct, frozen=True):
    """What the programs of all launches of a plan did. An atomic counts as a load and a store."""

    load_bytes: Size = 0
    store_bytes: Size = 0


class Impossible(Exception):
    """A plan that no call can have had."""


def check(plan: Plan, inputs: list[int], memory: int = MEMORY) -> None:
    """Refuse a plan that names what there is not. `inputs`: the bytes of each tensor among the arguments.

    Raises:
        Impossible: a view outside its buffer, a buffer before its allocation, too much memory, an unknown dtype.
    """
    sizes = list(inputs)
    if sum(step.size for step in plan.steps if isinstance(step, Allocate)) > memory:
        raise Impossible(f"more than {memory} bytes allocated")
    for step in plan.steps:
        if isinstance(step, Allocate):
            sizes.append(step.size)
        for view in views(step):
            _check_view(view, sizes)
    for view in views(plan.answer):
        _check_view(view, sizes)


def _check_view(view: View, sizes: list[int]) -> None:
    if view.dtype not in WIDTHS or len(view.shape) != len(view.strides) or view.offset % WIDTHS[view.dtype]:
        raise Impossible("a view that makes no sense")
    if view.buffer != UNKNOWN and not 0 <= view.buffer < len(sizes):
        raise Impossible(f"buffer {view.buffer} of {len(sizes)}")
    if view.buffer != UNKNOWN and view.offset + view.span > sizes[view.buffer]:
        raise Impossible(f"bytes {view.offset} to {view.offset + view.span} of a buffer of {sizes[view.buffer]}")


def views(part: Step | Argument) -> Iterator[View]:
    """Every view that a step or an argument names."""
    if isinstance(part, View):
        yield part
    elif isinstance(part, Descriptor):
        yield part.base
    elif isinstance(part, Fill):
        yield part.target
    elif isinstance(part, Copy):
        yield from (part.source, part.target)
    elif isinstance(part, Launch):
        for argument in (*part.arguments.values(), *part.captured.values()):
            yield from views(argument)
    elif isinstance(part, Many):
        for item in part.items:
            yield from views(item)


def has_unknown(plan: Plan) -> bool:
    """Whether a launch, a copy or the answer uses memory that no recorded operation made."""
    parts: list[Step | Argument] = [*plan.steps, plan.answer]
    return any(view.buffer == UNKNOWN for part in parts for view in views(part))


def passes(plan: Plan, inputs: list[tuple[list[int], list[int]]]) -> int:
    """Bytes that copies move for nothing; `inputs` are shapes and strides of the tensors among the arguments.

    To lay a tensor out as the kernel wants it is a style: x.contiguous(), or rows padded to whole blocks.
    """
    return sum(step.source.bytes for step in plan.steps if isinstance(step, Copy) and not _lays_out(step, inputs))


def _lays_out(copy: Copy, inputs: list[tuple[list[int], list[int]]]) -> bool:
    """Whether a tensor, as it was given or allocated, goes into another layout."""
    source, target = copy.source, copy.target
    if 0 <= source.buffer < len(inputs):
        shape, strides = inputs[source.buffer]
    else:
        shape, strides = source.shape, [math.prod(source.shape[i + 1 :]) for i in range(len(source.shape))]
    as_it_was = _walk(source.shape, source.strides) == _walk(shape, strides)
    return as_it_was and source.dtype == target.dtype and source.strides != target.strides


def _walk(shape: list[int], strides: list[int]) -> list[tuple[int, int]]:
    """Lengths and strides with what follows on in memory as one axis: the same for x and for x.reshape(-1), its view."""
    walk: list[tuple[int, int]] = []
    for length, stride in zip(shape, strides, strict=True):
        if length > 1 and walk and walk[-1][1] == length * stride:
            walk[-1] = (walk[-1][0] * length, stride)
        elif length > 1:  # the stride of an axis of length 1 means nothing
            walk.append((length, stride))
    return walk


def scratch(plan: Plan, inputs: int) -> int:
    """Bytes allocated beyond those of the answer; `inputs` is how many tensors the call was given."""
    allocated = sum(step.size for step in plan.steps if isinstance(step, Allocate))
    return max(0, allocated - sum(view.bytes for view in views(plan.answer) if view.buffer >= inputs))
