"""Tensors of full size that take no memory until somebody writes to them: pages of zeros that are not there yet.

blank("float32", [65536, 8192])     2 GiB of address space
"""

import math

import numpy as np
import torch
from torch import Tensor

from clozekit.values import DTYPES

ALIGNMENT = 512  # bytes: that of memory on a GPU


def blank(dtype: str, shape: list[int], strides: list[int] | None = None) -> Tensor:
    """Zeros; `strides` in elements, by default those of a dense tensor.

    Raises:
        MemoryError: there is not so much address space.
    """
    kind = DTYPES[dtype]
    last = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True)) if strides else 0
    elements = last + 1 if strides else math.prod(shape)
    flat = empty_pages(elements * kind.itemsize).view(kind)
    return flat.as_strided(shape, strides) if strides and math.prod(shape) else flat[: math.prod(shape)].view(shape)


def empty_pages(size: int) -> Tensor:
    """So many bytes, uint8, aligned as on a GPU."""
    raw: np.ndarray = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return torch.from_numpy(raw[start : start + size])
