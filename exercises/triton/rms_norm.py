"""RMSNorm kernels, forward and backward

Write Triton kernels, and the functions that launch them, for RMSNorm over the last axis

    y = x̂ · weight        x̂ = x / sqrt(mean(x²) + eps)

and for its gradients: given dy, those of Σ dy · y by x and by weight. Each element of
dx depends on its whole row of x and dy, each of dweight = Σ dy · x̂ on all rows.

Forward, x is read once and y written once: a block holds a row on the chip. Backward,
dy and x are read once and dx is written once: the root mean square is made anew from
the row, as it is on the chip anyway. A program keeps the dweight of its own rows on the
chip, sixteen rows or more where there are plenty, before it touches memory. How these
sums come together is your choice, by a second launch or by atomics in float32.

x, dy    [..., d], 1 ≤ d ≤ 8192, float32, float16 or bfloat16; may be non-contiguous
         (.contiguous() is free there); must not be changed
weight   [d], of the same dtype
results  y, or (dx, dweight): new tensors, of the shapes of x and weight, of this dtype

All arithmetic and all sums are float32, by the kernels; only results are rounded to the
dtype (and x̂ once before the weight, if you like, as Llama does). The host allocates,
fills with a number, copies, launches: at most once forward and twice backward.

Source: Zhang and Sennrich 2019, RMSNorm, arXiv:1910.07467, eq. 4; Hsu et al. 2024, Liger Kernel, arXiv:2410.10989
"""

import torch
import triton
import triton.language as tl

PROGRAMS = 256  # of the backward pass at most: two or so for each multiprocessor


@triton.jit
def rms_norm_kernel(y_ptr, x_ptr, weight_ptr, d, eps, BLOCK: tl.constexpr):
    """One program normalises one row. All tensors are contiguous."""
    row = tl.program_id(0).to(tl.int64)  # in 32 bits, row * d overflows from 2**31 elements
    feature = tl.arange(0, BLOCK)  # (BLOCK,), a power of two, at least d
    inside = feature < d
    weight = tl.load(weight_ptr + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)

    # TODO (3 lines): `y` (BLOCK,): load row `row` of x, divide it by its root mean square, multiply by `weight`
    raise NotImplementedError("forward")

    tl.store(y_ptr + row * d + feature, y, mask=inside)  # rounds to the dtype of y


@triton.jit
def rms_norm_backward_kernel(
    dx_ptr, part_ptr, dy_ptr, x_ptr, weight_ptr, rows, d, eps, BLOCK: tl.constexpr
):  # fmt: skip
    """One program takes every row that lies a whole grid further; row p of `part` is the dweight of its rows."""
    program = tl.program_id(0)
    feature = tl.arange(0, BLOCK)
    inside = feature < d
    weight = tl.load(weight_ptr + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)
    dweight = tl.zeros([BLOCK], tl.float32)

    for row in range(program, rows, tl.num_programs(0)):
        place = row.to(tl.int64) * d + feature
        x = tl.load(x_ptr + place, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)
        dy = tl.load(dy_ptr + place, mask=inside, other=0.0).to(tl.float32)

        # TODO (4 lines): `dx` (BLOCK,), from `dy`, `x` and `weight`; on the way `normed`, which is x̂
        raise NotImplementedError("row_gradient")

        tl.store(dx_ptr + place, dx, mask=inside)

        # TODO (1 line): add what this row contributes to `dweight`
        raise NotImplementedError("weight_gradient")

    tl.store(part_ptr + program * d + feature, dweight, mask=inside)


@triton.jit
def sum_kernel(total_ptr, part_ptr, parts, d, PARTS: tl.constexpr, BLOCK: tl.constexpr):
    """One program sums BLOCK columns of part [parts, d], which is float32, PARTS rows at a time."""
    feature = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)  # (BLOCK,)
    step = tl.arange(0, PARTS)  # (PARTS,)

    # TODO (6 lines): `total` (BLOCK,): the sum over the rows of part, of the columns `feature`
    raise NotImplementedError("sum_parts")

    tl.store(total_ptr + feature, total, mask=feature < d)


def warps(BLOCK: int, elements: int) -> int:
    """So many that a thread has `elements` of a row; those of all the blocks in use must fit its registers."""
    return min(max(BLOCK // (32 * elements), 1), 32)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """x [..., d] -> x / sqrt(mean(x²) + eps) * weight, [..., d], in the dtype of x."""
    x, weight = x.contiguous(), weight.contiguous()  # copies only what is not
    d = x.shape[-1]
    BLOCK = triton.next_power_of_2(d)

    # TODO (2 lines): `y`, a new tensor; let the kernel fill it, a program for each row
    raise NotImplementedError("launch")

    return y


def rms_norm_backward(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor]:
    """dy, x [..., d], weight [d] -> dx [..., d] and dweight [d], in their dtype."""
    dy, x, weight = dy.contiguous(), x.contiguous(), weight.contiguous()
    d = x.shape[-1]
    rows, BLOCK = x.numel() // d, triton.next_power_of_2(d)

    # TODO (6 lines): `dx` and `dweight`, new tensors; at most PROGRAMS programs leave sums for `sum_kernel`
    raise NotImplementedError("launch_backward")

    return dx, dweight
