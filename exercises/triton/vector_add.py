"""Vector add kernel

Write a Triton kernel, and the function that launches it, for the sum of two tensors:

    z = x + y        element by element

One program adds one block: BLOCK elements that are neighbours in memory, so that they
travel together. From its number, tl.program_id(0), a program knows which block is its
own. The length of a block is a power of two; the last block may reach beyond the end,
and what is there may be neither read nor written: loads and stores take a mask.

A sum takes three trips per element: x and y are read once, z is written once. Nothing
else may pass through memory.

x, y    of the same shape (any number of axes, also none; at least one element) and
        dtype: float32, float16 or bfloat16; of any strides, each its own (a transposed
        view, a slice); must not be changed
result  a new tensor of this shape and dtype

The host allocates and launches, once; the addition is the kernel's. x.contiguous() is
free: of a contiguous x it returns x itself, and any other is laid out anew, so that the
kernel may take its elements for neighbours. A kernel that uses strides is as good.

Source: Triton tutorial 01, Vector Addition, https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html
"""

import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(z_ptr, x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """One program adds BLOCK neighbours of x and y, which are contiguous, n elements each."""
    # TODO (3 lines): `place` (BLOCK,): where the elements of this program lie, and `inside`: which of them there are
    raise NotImplementedError("places")

    # TODO (3 lines): load these elements of x and y, store their sum in z
    raise NotImplementedError("add")


def add(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """x + y, both of one shape and dtype, in a new tensor."""
    # TODO (4 lines): `z`, a new tensor; let the kernel fill it from contiguous x and y, a program for each block
    raise NotImplementedError("launch")

    return z
