"""What each operation computes: Triton's interpreter, and what it leaves out.

    bfloat16             kept as float32 with 16 zero bits behind, rounded after every operation
    tl.dot               in float32, so that a fast matrix product does it; its float32 inputs as TF32 unless it asks for ieee
    loads, stores        checked before memory is touched, and shown to whoever watches
    mask without other   undefined.py
    libdevice            libdevice.py

Triton's own interpreter adds and compares the bits of bfloat16 as integers, and multiplies float16 matrices in a loop.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import triton.language as tl

from clozekit.kernels import bounds, libdevice, undefined
from clozekit.kernels.private import (
    InterpreterBuilder,
    InterpreterOptions,
    TensorHandle,
    ir,
    memory,
    min_dot_size,
    stored_dtype,
)
from clozekit.kernels.refusal import refused

_STORED = {
    dtype.name: stored_dtype(dtype)
    for dtype in vars(tl).values()
    if isinstance(dtype, tl.dtype) and dtype.name in (*tl.dtype.SINT_TYPES, *tl.dtype.UINT_TYPES, *tl.dtype.FP_TYPES)
}
_COMPUTED = _STORED | {"bf16": np.dtype(np.float32)}
_ADDRESS = np.dtype(np.uint64)
SPECIAL = {np.exp, np.exp2, np.log, np.log2, np.sqrt, np.sin, np.cos}


@dataclass
class Running:
    """The launch whose programs run now."""

    kernel: str
    arguments: list[bounds.Argument] = field(default_factory=list)
    watchers: list[Callable[[bounds.Access], None]] = field(default_factory=list)


class Arithmetic(NamedTuple):
    """One operation on a block, as a meter gets to see it."""

    kind: Literal["plain", "special", "dot"]  # special: exp, log, sin and their like; dot: tl.dot
    flops: int  # of a special function: one
    inputs: str = ""  # of tl.dot: the dtype of its operands, "fp16"
    precision: str = ""  # of tl.dot on float32: "TF32", "IEEE" ...


Kind = Literal["plain", "special", "dot"]
counters: list[Callable[[Arithmetic], None]] = []  # called for each operation on floats; for meters


def count(kind: Kind, flops: int, *of: str) -> None:
    """Tell whoever counts what has been computed."""
    for counter in counters:
        counter(Arithmetic(kind, flops, *of))


def counted(kind: Kind, handle: TensorHandle, each: int = 1) -> TensorHandle:
    """A result; if it is of floats, `each` operations for every element have been done."""
    if counters and handle.data.dtype.kind == "f":
        count(kind, each * handle.data.size)
    return handle


def is_bfloat16(dtype: tl.dtype) -> bool:
    """Whether a tensor's type, or that of its elements, is bfloat16."""
    return dtype.scalar.name == "bf16"


def np_dtype(dtype: tl.dtype) -> np.dtype:
    """The numpy type that values of a Triton type are computed in."""
    scalar = dtype.scalar
    return _ADDRESS if scalar.is_ptr() else _COMPUTED[scalar.name]


def fits(data: np.ndarray, dtype: tl.dtype) -> bool:
    """Triton's check that an array is no wider than its type, with bfloat16 kept as float32."""
    return data.itemsize <= np_dtype(dtype).itemsize


def round_bfloat16(data: np.ndarray) -> np.ndarray:
    """float32 to the nearest bfloat16, ties to even, still in float32."""
    bits: np.ndarray = data.view(np.uint32)
    nearest = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    bits = np.where(np.isnan(data), bits | np.uint32(0x400000), nearest)  # rounding could make a NaN infinite
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def tf32(data: np.ndarray) -> np.ndarray:
    """float32 with the ten bits behind the point that a tensor core reads."""
    return (np.ascontiguousarray(data).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


def to_bits(data: np.ndarray) -> np.ndarray:
    """The 16 bits of each bfloat16."""
    return (data.view(np.uint32) >> np.uint32(16)).astype(np.uint16)


def from_bits(bits: np.ndarray) -> np.ndarray:
    """bfloat16 from its 16 bits."""
    return (bits.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)


class Builder(InterpreterBuilder):
    """Triton's interpreter with its gaps filled. `launch` is set while a launch runs."""

    def __init__(self) -> None:
        super().__init__()
        # without overflow checks, which an interpreter that asserts nothing computes for nothing
        self.options = InterpreterOptions(
            sanitize_overflow=False, allowed_dot_input_precisions=("tf32", "tf32x3", "ieee", "bf16x3", "bf16x6")
        )
        self.codegen_fns["min_dot_size"] = min_dot_size(None)  # what a GPU asks for
        self.launch: Running | None = None

    def scalar(self, value: Any, dtype: tl.dtype) -> TensorHandle:
        """One number of a type."""
        data = np.array([value], np_dtype(dtype))
        return TensorHandle(round_bfloat16(data) if is_bfloat16(dtype) else data, dtype)

    def get_bf16(self, value: float) -> TensorHandle:
        return self.scalar(value, tl.bfloat16)

    # memory

    def access(self, kind: str, pointers: TensorHandle, mask: np.ndarray | None) -> None:
        """Every touch of memory comes through here, before it happens."""
        assert self.launch is not None
        size = max(1, pointers.get_element_ty().primitive_bitwidth // 8)
        frame = bounds.kernel_frame(sys._getframe(2))
        argument = getattr(pointers.dtype, "argument", None)
        touch = bounds.Access(kind, pointers.data, mask, size, frame and frame.f_lineno, argument)
        bounds.check(touch, self.launch.arguments, self.launch.kernel)
        for watch in self.launch.watchers:
            watch(touch)

    def create_load(self, ptr: TensorHandle, *modifiers: Any) -> TensorHandle:
        return self.create_masked_load(ptr, None, None)

    def create_store(self, ptr: TensorHandle, val: TensorHandle, *modifiers: Any) -> None:
        return self.create_masked_store(ptr, val, None)

    def create_masked_load(
        self, ptrs: TensorHandle, mask: Any, other: Any, *modifiers: Any, **named: Any
    ) -> TensorHandle:
        return self.read("load", ptrs, mask, other)

    def create_masked_store(self, ptrs: TensorHandle, value: TensorHandle, mask: Any, *modifiers: Any) -> None:
        self.write("store", ptrs, value, mask)

    def read(self, kind: str, ptrs: TensorHandle, mask: Any, other: Any) -> TensorHandle:
        """What is in memory; where the mask is off, `other`."""
        lanes = _lanes(mask)
        self.access(kind, ptrs, lanes)
        dtype, shape = ptrs.get_element_ty(), ptrs.data.shape
        stored = _STORED[dtype.name]
        if other is not None:
            instead = to_bits(other.data) if is_bfloat16(dtype) else other.data
        elif lanes is None:
            instead = np.empty(shape, stored)
        else:
            instead = np.full(shape, undefined.BFLOAT16) if is_bfloat16(dtype) else undefined.lanes(shape, stored)
        data = memory.load(ptrs.data, np.ones(shape, bool) if lanes is None else lanes, instead, stored)
        return TensorHandle(from_bits(data) if is_bfloat16(dtype) else data, dtype)

    def write(self, kind: str, ptrs: TensorHandle, value: TensorHandle, mask: Any) -> None:
        """Change memory where the mask is on."""
        lanes = _lanes(mask)
        self.access(kind, ptrs, lanes)
        dtype = ptrs.get_element_ty()
        data = to_bits(value.data) if is_bfloat16(dtype) else value.data.astype(_STORED[dtype.name], copy=False)
        memory.store(ptrs.data, data, np.ones(ptrs.data.shape, bool) if lanes is None else lanes)

    def create_atomic_rmw(
        self, rmwOp: Any, ptr: TensorHandle, val: TensorHandle, mask: TensorHandle, *order: Any
    ) -> TensorHandle:
        self.access("atomic", ptr, mask.data)
        if is_bfloat16(ptr.get_element_ty()):
            raise refused(libdevice.NotOnCpu, "kernel-bfloat16")
        return super().create_atomic_rmw(rmwOp, ptr, val, mask, *order)

    def create_atomic_cas(self, ptr: TensorHandle, *values: Any) -> TensorHandle:
        self.access("atomic", ptr, None)
        return super().create_atomic_cas(ptr, *values)

    def create_atomic_load(self, ptr: TensorHandle, mask: TensorHandle, *order: Any) -> TensorHandle:
        return self.read("atomic", ptr, mask, None)

    def create_atomic_store(self, ptr: TensorHandle, val: TensorHandle, mask: TensorHandle, *order: Any) -> None:
        self.write("atomic", ptr, val, mask)

    def create_atomic_poll(self, ptr: TensorHandle, expected: TensorHandle, timeout: Any, *order: Any) -> TensorHandle:
        found = self.read("atomic", ptr, None, None).data == expected.data
        if not isinstance(timeout, TensorHandle) and not found.all():  # whoever is to store it runs later
            raise refused(libdevice.NotOnCpu, "kernel-poll")
        return TensorHandle(found, tl.int1)

    # pointers remember their argument

    def create_select(self, cond: TensorHandle, lhs: TensorHandle, rhs: TensorHandle) -> TensorHandle:
        result = super().create_select(cond, lhs, rhs)
        if getattr(lhs.dtype, "argument", None) != getattr(rhs.dtype, "argument", None):
            result.dtype = tl.pointer_type(rhs.dtype.element_ty, rhs.dtype.address_space)
        return result

    def create_bitcast(self, src: TensorHandle, dst_type: tl.dtype) -> TensorHandle:
        data, dtype = src.data, dst_type.scalar
        if argument := getattr(src.dtype, "argument", None):
            dtype = bounds.ArgumentPointer(dtype, argument) if dtype.is_ptr() else dtype
        if is_bfloat16(dst_type) and not is_bfloat16(src.dtype):
            data = from_bits(data)
        elif is_bfloat16(src.dtype) and not is_bfloat16(dst_type):
            data = to_bits(data)
        return TensorHandle(data.view(np_dtype(dst_type)), dtype)

    # numbers

    def cast_impl(self, src: TensorHandle, dst_type: tl.dtype) -> TensorHandle:
        data = src.data.astype(np_dtype(dst_type))
        return TensorHandle(round_bfloat16(data) if is_bfloat16(dst_type) else data, dst_type.scalar)

    def create_fp_to_fp(self, src: TensorHandle, dst_type: tl.dtype, rounding_mode: Any) -> TensorHandle:
        if is_bfloat16(src.dtype):
            src = TensorHandle(src.data, tl.float32)
        if not is_bfloat16(dst_type):
            return super().create_fp_to_fp(src, dst_type, rounding_mode)
        wide = src if src.dtype.scalar == tl.float32 else super().create_fp_to_fp(src, tl.float32, None)
        if rounding_mode == ir.ROUNDING_MODE.RTZ:
            return TensorHandle((wide.data.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32), tl.bfloat16)
        return TensorHandle(round_bfloat16(wide.data), tl.bfloat16)

    def binary_op(self, lhs: TensorHandle, rhs: TensorHandle, op: Any) -> TensorHandle:
        if lhs.data.dtype == rhs.data.dtype == np.bool_:  # to numpy these are truths, to a GPU numbers of one bit
            bits = op(lhs.data.astype(np.int8), rhs.data.astype(np.int8)) & 1
            return TensorHandle(bits.astype(np.bool_), tl.int1)
        result = counted("plain", _rounded(super().binary_op(lhs, rhs, op)))
        if result.data.dtype == np.bool_:  # of a comparison, which has the type of its operands otherwise
            result.dtype = tl.int1
        return result

    def unary_op(self, arg: TensorHandle, op: Any) -> TensorHandle:
        result = _rounded(TensorHandle(undefined.keep(op(arg.data), arg.data), arg.dtype.scalar))
        return counted("special" if op in SPECIAL else "plain", result)

    def create_fabs(self, arg: TensorHandle) -> TensorHandle:
        return counted("plain", TensorHandle(np.abs(arg.data), arg.dtype.scalar))

    def create_erf(self, arg: TensorHandle) -> TensorHandle:
        return counted("special", super().create_erf(arg))

    def create_rsqrt(self, arg: TensorHandle) -> TensorHandle:
        return counted("special", super().create_rsqrt(arg))

    def create_fma(self, x: TensorHandle, y: TensorHandle, z: TensorHandle) -> TensorHandle:
        wide = np.float32 if z.data.dtype == np.float16 else z.data.dtype
        total = x.data.astype(wide) * y.data + z.data
        return counted("plain", _rounded(TensorHandle(total.astype(z.data.dtype), z.dtype.scalar)), each=2)

    def create_maxnumf(self, lhs: TensorHandle, rhs: TensorHandle) -> TensorHandle:
        larger = undefined.keep(np.fmax(lhs.data, rhs.data), lhs.data, rhs.data)
        return counted("plain", TensorHandle(larger, lhs.dtype.scalar))

    def create_minnumf(self, lhs: TensorHandle, rhs: TensorHandle) -> TensorHandle:
        smaller = undefined.keep(np.fmin(lhs.data, rhs.data), lhs.data, rhs.data)
        return counted("plain", TensorHandle(smaller, lhs.dtype.scalar))

    def create_dot(self, a: TensorHandle, b: TensorHandle, d: TensorHandle, precision: Any, *more: Any) -> TensorHandle:
        if counters:
            count("dot", 2 * a.data.size * b.data.shape[-1], a.dtype.scalar.name, precision.name)
        if a.dtype.scalar.is_fp8() or b.dtype.scalar.is_fp8():
            return super().create_dot(a, b, d, precision, *more)
        floats = a.data.dtype.kind == "f"
        wide = np.promote_types(a.data.dtype, np.float32) if floats else np.float64  # which holds sums of int8 exactly
        left, right = a.data.astype(wide, copy=False), b.data.astype(wide, copy=False)
        if precision == ir.INPUT_PRECISION.TF32 and a.data.dtype == b.data.dtype == np.float32:
            left, right = tf32(left), tf32(right)
        product = np.matmul(left, right)
        total = product + d.data if floats else product.astype(np.int32) + d.data
        return TensorHandle(total.astype(d.data.dtype, copy=False), d.dtype.scalar)

    def create_extern_elementwise(
        self, lib_name: str, lib_path: str, symbol: str, args: list[TensorHandle], ret_type: tl.dtype, is_pure: bool
    ) -> TensorHandle:
        operands = [arg.data for arg in args]
        result = np.asarray(libdevice.find(symbol)(*operands)).astype(np_dtype(ret_type))
        return counted("special", TensorHandle(undefined.keep(result, *operands), ret_type.scalar))

    def create_dot_scaled(self, *args: Any) -> TensorHandle:
        raise refused(libdevice.NotOnCpu, "kernel-dot-scaled")

    def create_inline_asm(self, *args: Any) -> TensorHandle:
        raise refused(libdevice.NotOnCpu, "kernel-assembly")


def _lanes(mask: Any) -> np.ndarray | None:
    return mask.data if isinstance(mask, TensorHandle) else mask


def _rounded(handle: TensorHandle) -> TensorHandle:
    if is_bfloat16(handle.dtype) and handle.data.dtype == np.float32:
        handle.data = round_bfloat16(handle.data)
    return handle
