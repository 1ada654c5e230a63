"""A call of full size, written down.

parse("flash_attention(float16[4, 16, 2048, 64], float16[4, 16, 2048, 64], float16[4, 16, 2048, 64], causal=True)")
parse("matmul(float16[4096, 4096], float16[4096, 4096].T)")     the second one laid out transposed

No torch here: a tensor of the call is a Blank, and whoever makes the call makes it.
"""

import ast
import math
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from clozekit.errors import ClozeError
from clozekit.kernels.plan import WIDTHS
from clozekit.report import Problem

LIMIT = 1 << 40  # bytes of one tensor


Axes = Annotated[list[Annotated[int, Meta(ge=0, le=LIMIT)]], Meta(max_length=16)]


class Blank(Struct, tag="blank", frozen=True):
    """A tensor by its layout; nobody cares what is in it. Strides in elements. Only the trusted side sends one."""

    dtype: Annotated[str, Meta(max_length=20)]
    shape: Axes
    strides: Axes

    @property
    def size(self) -> int:
        """Bytes of its elements."""
        return math.prod(self.shape) * WIDTHS[self.dtype]

    @property
    def extent(self) -> int:
        """Bytes from its first to its last element."""
        last = sum((length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True))
        return (last + 1) * WIDTHS[self.dtype] if self.size else 0


Single = None | bool | int | float | str | Blank
Argument = Single | list[Single]


class CallString(Struct, frozen=True):
    """A parsed call. `text`: as it was written."""

    text: str
    target: str
    args: list[Argument]
    kwargs: dict[str, Argument]

    @property
    def tensors(self) -> list[Blank]:
        """Those among its arguments, in order."""
        return [leaf for leaf in [*self.args, *self.kwargs.values()] if isinstance(leaf, Blank)]

    @property
    def size(self) -> int:
        """Bytes of all its tensors."""
        return sum(leaf.size for leaf in self.tensors)

    def filled(self, make: Callable[[Blank], Any]) -> tuple[list[Any], dict[str, Any]]:
        """Its arguments, each tensor made by `make`, in order."""

        def made(argument: Any) -> Any:
            if isinstance(argument, list):
                return [made(item) for item in argument]
            return make(argument) if isinstance(argument, Blank) else argument

        return [made(arg) for arg in self.args], {name: made(arg) for name, arg in self.kwargs.items()}


class BadCall(ClozeError):
    """A call string that cannot be read."""


def parse(text: str) -> CallString:
    """Read a call.

    Raises:
        BadCall: it is no call, or one of its arguments is neither a tensor nor a literal; says which.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = str(getattr(error, "msg", None) or error)
        raise BadCall(Problem("call-syntax", {"text": repr(text), "reason": reason})) from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise BadCall(Problem("call-no-call", {"text": repr(text)}))
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(each.arg is None for each in node.keywords):
        raise BadCall(Problem("call-star", {"text": repr(text)}))
    args = [_argument(arg) for arg in node.args]
    return CallString(
        text.strip(), node.func.id, args, {each.arg or "": _argument(each.value) for each in node.keywords}
    )


def _argument(node: ast.expr) -> Any:
    if isinstance(node, ast.Subscript):
        return _tensor(node)
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT") and isinstance(node.value, ast.Subscript):
        return _transposed(_tensor(node.value), ast.unparse(node))
    if isinstance(node, ast.Tuple | ast.List):
        items = [_argument(item) for item in node.elts]
        if not any(isinstance(item, list) for item in items):
            return items
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        value = ...
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise BadCall(Problem("call-argument", {"text": ast.unparse(node)}))


def _tensor(node: ast.Subscript) -> Blank:
    text = ast.unparse(node)
    dtype = node.value.id if isinstance(node.value, ast.Name) else ast.unparse(node.value)
    if dtype not in WIDTHS:
        raise BadCall(Problem("call-dtype", {"text": text, "dtype": dtype, "known": ", ".join(WIDTHS)}))
    sizes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    shape = [size.value if isinstance(size, ast.Constant) else None for size in sizes]
    if not all(type(size) is int for size in shape):
        raise BadCall(Problem("call-shape", {"text": text}))
    whole = [int(str(size)) for size in shape]
    if math.prod(whole) * WIDTHS[dtype] > LIMIT:
        size = math.prod(whole) * WIDTHS[dtype]
        raise BadCall(
            Problem("call-size", {"text": text, "size": f"{size / 1e12:.3g}", "limit": f"{LIMIT / 1e12:.3g}"})
        )
    return Blank(dtype, whole, [math.prod(whole[axis + 1 :]) for axis in range(len(whole))])


def _transposed(blank: Blank, text: str) -> Blank:
    """The view that swaps the last two axes of a dense tensor with the shape that is written."""
    if len(blank.shape) < 2:
        raise BadCall(Problem("call-transposed", {"text": text}))

    def swap(sizes: list[int]) -> list[int]:
        return [*sizes[:-2], sizes[-1], sizes[-2]]

    return Blank(blank.dtype, swap(blank.shape), swap(blank.strides))
