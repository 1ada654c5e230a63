"""Reduce and scan: tl.sum, tl.max, tl.argmin, tl.cumsum and whatever a kernel combines by a function of its own.

    tl.reduce(x, 1, combine)     x (rows, cols) -> (rows,)      combine(combine(x[:, 0], x[:, 1]), x[:, 2]) ...

Known combine functions are one numpy call. Of the others, whole slices are combined, in order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import triton.language as tl

from clozekit.kernels import builder, private, undefined
from clozekit.kernels.private import TensorHandle, core, unwrap, wrap_axis

Arrays = list[np.ndarray]


def reduce(input: Any, axis: Any, combine_fn: Any, keep_dims: Any = False) -> Any:
    """tl.reduce."""
    if isinstance(input, core.tensor):
        return reduce((input,), axis, combine_fn, keep_dims)[0]
    rank = len(input[0].shape)
    axis, keep_dims = unwrap(axis), unwrap(keep_dims)
    arrays = [tensor.handle.data for tensor in input]
    if axis is None:
        arrays, place = [array.reshape(-1) for array in arrays], 0
    else:
        place = wrap_axis(axis, rank)
    known = REDUCTIONS.get(combine_fn.fn)
    results = known(arrays, place) if known else _in_turn(combine_fn, input, arrays, place)[-1]
    if known:
        _count(arrays[0], arrays[0].size - np.asarray(results[0]).size)
    if keep_dims:
        results = [r.reshape((1,) * rank) if axis is None else np.expand_dims(r, place) for r in results]
    return tuple(_tensor(result, tensor.dtype) for result, tensor in zip(results, input, strict=True))


def scan(input: Any, axis: Any, combine_fn: Any, reverse: Any = False) -> Any:
    """tl.associative_scan."""
    if isinstance(input, core.tensor):
        return scan((input,), axis, combine_fn, reverse)[0]
    axis, reverse = wrap_axis(unwrap(axis), len(input[0].shape)), unwrap(reverse)
    arrays = [np.flip(tensor.handle.data, axis) if reverse else tensor.handle.data for tensor in input]
    if known := SCANS.get(combine_fn.fn):
        results = [known(arrays[0], axis=axis, dtype=arrays[0].dtype)]
        _count(arrays[0], arrays[0].size - arrays[0].size // arrays[0].shape[axis])
    else:
        results = [np.stack(turns, axis) for turns in zip(*_in_turn(combine_fn, input, arrays, axis), strict=True)]
    results = [np.flip(result, axis) for result in results] if reverse else results
    return tuple(_tensor(result, tensor.dtype) for result, tensor in zip(results, input, strict=True))


def _in_turn(combine: Any, input: Any, arrays: Arrays, axis: int) -> list[Arrays]:
    """All partial results along an axis, by the kernel's own function."""
    slices = [[np.take(array, i, axis) for array in arrays] for i in range(arrays[0].shape[axis])]
    turns = slices[:1]
    for new in slices[1:]:
        operands = [
            _tensor(array, tensor.dtype) for side in (turns[-1], new) for array, tensor in zip(side, input, strict=True)
        ]
        result = combine(*operands)
        results = result if isinstance(result, tuple) else (result,)
        shape = new[0].shape
        turns.append([r.handle.data.reshape(shape).astype(old.dtype) for r, old in zip(results, new, strict=True)])
    return turns


def _count(array: np.ndarray, operations: int) -> None:
    """What a known function combined at once; a kernel's own is counted as it runs."""
    if builder.counters and array.dtype.kind == "f":
        builder.count("plain", operations)


def _tensor(data: np.ndarray, dtype: tl.dtype) -> Any:
    kind = core.block_type(dtype, list(data.shape)) if data.shape else dtype
    return core.tensor(TensorHandle(np.atleast_1d(data).astype(builder.np_dtype(dtype), copy=False), dtype), kind)


def _sum(arrays: Arrays, axis: int) -> Arrays:
    wide = np.float32 if arrays[0].dtype == np.float16 else arrays[0].dtype
    return [np.add.reduce(arrays[0], axis, dtype=wide)]


def _extremum(function: np.ufunc) -> Callable[[Arrays, int], Arrays]:
    """Maximum or minimum, which skip a NaN as a GPU does, save an undefined lane."""

    def result(arrays: Arrays, axis: int) -> Arrays:
        found = undefined.among(arrays[0])
        best = np.asarray(function.reduce(arrays[0], axis))
        return [best if found is None else np.where(found.any(axis), undefined.lanes((1,), best.dtype)[0], best)]

    return result


def _position(find: Callable[..., np.ndarray]) -> Callable[[Arrays, int], Arrays]:
    """argmax or argmin over (values, positions); the first of equals."""

    def result(arrays: Arrays, axis: int) -> Arrays:
        at = np.expand_dims(find(arrays[0], axis), axis)
        return [np.take_along_axis(array, at, axis).squeeze(axis) for array in arrays]

    return result


def _ufunc(function: np.ufunc) -> Callable[[Arrays, int], Arrays]:
    return lambda arrays, axis: [np.asarray(function.reduce(arrays[0], axis))]


REDUCTIONS: dict[Any, Callable[[Arrays, int], Arrays]] = {
    private.total.fn: _sum,
    private.maximum.fn: _extremum(np.fmax),
    private.minimum.fn: _extremum(np.fmin),
    private.argmax_left.fn: _position(np.argmax),
    private.argmax_fast.fn: _position(np.argmax),
    private.argmin_left.fn: _position(np.argmin),
    private.argmin_fast.fn: _position(np.argmin),
    private.bitwise_xor.fn: _ufunc(np.bitwise_xor),
    private.bitwise_or.fn: _ufunc(np.bitwise_or),
}
SCANS: dict[Any, Callable[..., np.ndarray]] = {
    private.total.fn: np.cumsum,
    private.product.fn: np.cumprod,
}
