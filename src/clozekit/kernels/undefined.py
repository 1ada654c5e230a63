"""What a load gives where its mask is off and no `other` is named: on a GPU, anything. Here, a NaN unlike other NaNs.

    x = tl.load(x_ptr + cols, mask=cols < n)       lanes from n on are undefined
    tl.sum(x)                                      NaN: relied on what nobody promised
    tl.sum(tl.where(cols < n, x, 0.0))             right
    tl.store(y_ptr + cols, x + 1, mask=cols < n)   right: those lanes are computed and thrown away

Zeros, which Triton's own interpreter gives, hide a forgotten `other`. Maximum and minimum ignore NaN on a GPU and here,
except this one, so that a row maximum over undefined lanes is caught as well. It is told by its payload, which survives
arithmetic and conversions, as it fits into the seven bits of mantissa that all formats share. Integers and float8 have
no such value to spare: there, the lanes are 0.
"""

from typing import Any

import numpy as np

PATTERNS: dict[np.dtype, Any] = {
    np.dtype(np.float16): np.uint16(0x7F68),
    np.dtype(np.float32): np.uint32(0x7FED0000),
    np.dtype(np.float64): np.uint64(0x7FFDA00000000000),
}
BFLOAT16 = np.uint16(0x7FED)
MAGNITUDE = {dtype: np.iinfo(pattern.dtype).max >> 1 for dtype, pattern in PATTERNS.items()}  # all bits but the sign


def lanes(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of undefined values."""
    if (pattern := PATTERNS.get(dtype)) is None:
        return np.zeros(shape, dtype)
    return np.full(shape, pattern).view(dtype)


def among(data: np.ndarray) -> np.ndarray | None:
    """Which lanes are undefined; None if no lane is."""
    if data.dtype not in PATTERNS or not np.isnan(data).any():
        return None
    pattern = PATTERNS[data.dtype]
    found = (data.view(pattern.dtype) & MAGNITUDE[data.dtype]) == pattern
    return found if found.any() else None


def keep(result: np.ndarray, *operands: np.ndarray) -> np.ndarray:
    """The result, undefined wherever an operand is."""
    for operand in operands:
        if (found := among(operand)) is not None:
            result = np.where(found, lanes((1,), result.dtype), result)
    return result
