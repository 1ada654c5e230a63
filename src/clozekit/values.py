"""Python values and tensors as typed headers plus raw bytes, and back. The reader trusts nothing it is told.

(tensor float32[2, 3], [1, "a"])
    ->  Items("tuple", [Array("float32", [2, 3], None, 24), Items("list", [1, "a"])]),  24 raw bytes
"""

import math
from collections.abc import Collection
from typing import Annotated, Any, Literal, get_args

import numpy
import torch
from msgspec import Meta, Struct
from torch import Tensor

from clozekit.meters.callstring import Blank
from clozekit.wire import Violation

DEPTH_LIMIT = 16
ITEM_LIMIT = 500_000
CPU = ("cpu",)
DIGIT_LIMIT = 4000  # of a large int, in hexadecimal
ELEMENT_LIMIT = 1 << 40  # of an empty tensor, its empty axes left out: beyond that torch overflows

Size = Annotated[int, Meta(ge=0, le=1 << 40)]
Name = Annotated[str, Meta(max_length=200)]
Dtype = Literal[
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in get_args(Dtype)}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class Array(Struct, tag="array", frozen=True):
    """A dense tensor: the next `size` bytes of the payload. `strides` (trusted side only) rebuild its layout."""

    dtype: Dtype
    shape: Annotated[list[Size], Meta(max_length=16)]
    size: Size
    strides: Annotated[list[Size], Meta(max_length=16)] | None = None


class Items(Struct, tag="items", frozen=True):
    """A list, tuple, set or dict (keys and values in turn)."""

    kind: Literal["list", "tuple", "set", "frozenset", "dict"]
    items: list["Value"]


class Large(Struct, tag="large", frozen=True):
    """An int beyond 64 bits, in hexadecimal."""

    digits: Annotated[str, Meta(max_length=DIGIT_LIMIT, pattern=r"^-?0x[0-9a-f]+$")]


class Octets(Struct, tag="bytes", frozen=True):
    """A bytes object (msgspec tells only one string-like type from the others)."""

    data: bytes


class Held(Struct, tag="held", frozen=True):
    """An object that stays in the worker, by the number under which the trusted side had it kept."""

    number: int


class Foreign(Struct, tag="foreign", frozen=True):
    """A value that does not travel: only the name of its type does, and of a tensor on what device it lies."""

    name: Name
    device: Name = ""


Value = None | bool | int | float | str | Octets | Array | Items | Large | Held | Foreign | Blank


def encode(
    value: Any, buffers: list[Any], strided: bool = False, depth: int = 0, devices: Collection[str] = CPU
) -> Value:
    """The header of `value`; raw bytes of its tensors are appended to `buffers`, in their own layout if `strided`.

    devices: from which tensors are fetched; one on another does not travel.
    """
    if depth == DEPTH_LIMIT:
        return Foreign("a structure nested too deeply")
    if isinstance(value, numpy.number | numpy.bool_):
        value = value.item()  # whoever sums an array has a numpy.float64, and means the number
    kind = type(value)
    if value is None or kind in (bool, float, str):
        return value
    if kind is bytes:
        return Octets(value)
    if kind is int:
        if -(1 << 63) <= value < 1 << 63:
            return value
        digits = hex(value)
        return Large(digits) if len(digits) <= DIGIT_LIMIT else Foreign(f"an int of {value.bit_length()} bits")
    if kind in (Tensor, torch.nn.Parameter):
        return _encode_tensor(value, buffers, strided, devices)

    def inner(item: Any) -> Value:
        return encode(item, buffers, strided, depth + 1, devices)

    if kind in (list, tuple, set, frozenset):
        return Items(kind.__name__, [inner(item) for item in value])  # type: ignore[arg-type]
    if isinstance(value, dict):
        return Items("dict", [inner(item) for pair in value.items() for item in pair])
    if isinstance(value, tuple):  # a named tuple is a tuple
        return Items("tuple", [inner(item) for item in value])
    if isinstance(value, Held | Foreign | Blank):
        return value
    return Foreign(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")[:200])


def _encode_tensor(tensor: Tensor, buffers: list[Any], strided: bool, devices: Collection[str]) -> Value:
    tensor = tensor.detach()
    if tensor.device.type not in devices:
        return Foreign(f"a tensor on device {tensor.device}", str(tensor.device))
    if tensor.layout != torch.strided or tensor.dtype not in DTYPE_NAMES:
        return Foreign(f"a {tensor.layout} tensor of {tensor.dtype}"[:200])
    flat = tensor = tensor.resolve_conj().resolve_neg()  # the bytes as they count, not a lazy view of others
    strides = None
    if strided and not tensor.is_contiguous() and min(tensor.stride()) >= 0 and tensor.numel():
        strides = list(tensor.stride())
        span = 1 + sum((length - 1) * stride for length, stride in zip(tensor.shape, strides, strict=True))
        flat = tensor.as_strided((span,), (1,))
    flat = flat.contiguous().as_strided((flat.numel(),), (1,)).cpu()
    raw = flat.view(torch.uint8).numpy() if tensor.numel() else b""
    buffers.append(memoryview(raw))  # type: ignore[arg-type]
    return Array(DTYPE_NAMES[tensor.dtype], list(tensor.shape), len(raw), strides)  # type: ignore[arg-type]


class Reader:
    """Rebuilds values from one payload, tensors on `device`.

    strided: for the worker, which may believe the trusted side's strides.
    """

    def __init__(
        self, payload: bytearray, held: dict[int, Any] | None = None, strided: bool = False, device: str = "cpu"
    ):
        self.payload, self.held, self.strided, self.device = payload, held, strided, device
        self.offset = self.count = 0

    def decode(self, value: Value, depth: int = 0) -> Any:
        """The value that `value` describes; tensors are fresh, contiguous (unless strided) and own their bytes.

        Raises:
            Violation: bytes that do not match shape and dtype, unhashable keys, unknown numbers, too deep, too many.
        """
        self.count += 1
        if depth > DEPTH_LIMIT or self.count > ITEM_LIMIT:
            raise Violation("a value too deep or too large")
        if isinstance(value, Array):
            return self._tensor(value)
        if isinstance(value, Items):
            return self._items(value, depth)
        if isinstance(value, Octets):
            return value.data
        if isinstance(value, Large):
            return int(value.digits, 16)
        if isinstance(value, Blank):
            if not self.strided:
                raise Violation("a tensor without bytes")
            from clozekit.meters.blank import blank

            return blank(value.dtype, value.shape, value.strides)
        if isinstance(value, Held) and self.held is not None:
            if value.number not in self.held:
                raise Violation("an unknown object")
            return self.held[value.number]
        return value

    def finish(self) -> None:
        """Raises Violation unless every byte was used."""
        if self.offset != len(self.payload):
            raise Violation(f"{len(self.payload) - self.offset} bytes too many")

    def _items(self, value: Items, depth: int) -> Any:
        items = [self.decode(item, depth + 1) for item in value.items]
        try:
            if value.kind == "dict":
                if len(items) % 2:
                    raise Violation("a dict with a key and no value")
                return dict(zip(items[::2], items[1::2], strict=True))
            return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[value.kind](items)
        except TypeError:
            raise Violation("an unhashable key") from None

    def _tensor(self, array: Array) -> Tensor:
        dtype = DTYPES[array.dtype]
        count = math.prod(array.shape)
        if array.strides is not None:
            if not self.strided or len(array.strides) != len(array.shape) or not count:
                raise Violation("strides")
            count = 1 + sum((length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True))
        if array.size != count * dtype.itemsize or self.offset + array.size > len(self.payload):
            raise Violation("tensor bytes that do not match shape and dtype")
        if not array.size:
            if math.prod(max(length, 1) for length in array.shape) > ELEMENT_LIMIT:
                raise Violation("a shape beyond any tensor")
            return torch.empty(array.shape, dtype=dtype, device=self.device)
        sent = torch.frombuffer(self.payload, dtype=torch.uint8, count=array.size, offset=self.offset)
        raw = sent.to(self.device, copy=True)
        self.offset += array.size
        flat = raw.ne(0) if dtype is torch.bool else raw.view(dtype)  # a bool byte other than 0 and 1 must not survive
        return flat.as_strided(array.shape, array.strides) if array.strides else flat.reshape(array.shape)
