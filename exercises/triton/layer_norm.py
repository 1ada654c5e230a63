"""LayerNorm kernels, forward and backward

Write Triton kernels, and the functions that launch them, for LayerNorm of each row

    y = x̂ · weight + bias       x̂ = (x - mean(x)) / sqrt(mean((x - mean(x))²) + eps)

along the last axis, and for its gradients: given dy, those of Σ dy · y by x, weight and
bias. dx depends on whole rows of x and dy; dweight = Σ dy · x̂ and dbias = Σ dy run over
all rows.

A block holds a row on the chip: forward, x is read once and y is written once;
backward, dy and x are read once and dx is written once, with mean and variance made
anew from the row. A program keeps the sums of its own rows on the chip, sixteen rows or
more where there are plenty, before it touches memory (one that adds every row to memory
under a lock, as tutorial 05 does, moves several times the bytes). How these sums come
together is your choice, by a second launch or by atomics in float32.

x, dy          [..., d], 1 ≤ d ≤ 8192, float32, float16 or bfloat16; may be
               non-contiguous (.contiguous() is free there); must not be changed
weight, bias   [d], of the same dtype
results        y, or (dx, dweight, dbias): new tensors of this dtype, of the shapes of
               x, weight and bias

All arithmetic and all sums are float32, by the kernels; only results are rounded. A
mean far above the deviation must not spoil the variance. The host allocates, fills with
a number, copies, launches: at most once forward and twice backward.

Source: Ba, Kiros and Hinton 2016, Layer Normalization, arXiv:1607.06450, section 3; gradients as in Triton tutorial 05
"""

import torch
import triton
import triton.language as tl

PROGRAMS = 128  # of the backward pass at most: one or so for each multiprocessor


@triton.jit
def centre(x, inside, d, eps):
    """A row (BLOCK,) without its mean, zeros beyond it, and the reciprocal of its standard deviation."""
    # TODO (4 lines): `centred` (BLOCK,): x without its mean, 0 beyond the row; `rstd`: 1 / sqrt(variance + eps)
    raise NotImplementedError("statistics")

    return centred, rstd


@triton.jit
def layer_norm_kernel(y_ptr, x_ptr, weight_ptr, bias_ptr, d, eps, BLOCK: tl.constexpr):
    """One program normalises one row. All tensors are contiguous."""
    row = tl.program_id(0).to(tl.int64)  # in 32 bits, row * d overflows from 2**31 elements
    feature = tl.arange(0, BLOCK)  # (BLOCK,), a power of two, at least d
    inside = feature < d
    weight = tl.load(weight_ptr + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)
    bias = tl.load(bias_ptr + feature, mask=inside, other=0.0).to(tl.float32)

    # TODO (3 lines): `y` (BLOCK,): load row `row` of x, `centre` it, and apply `weight` and `bias`
    raise NotImplementedError("forward")

    tl.store(y_ptr + row * d + feature, y, mask=inside)  # rounds to the dtype of y


@triton.jit
def layer_norm_backward_kernel(
    dx_ptr, dweight_part_ptr, dbias_part_ptr, dy_ptr, x_ptr, weight_ptr, rows, d, eps, BLOCK: tl.constexpr
):  # fmt: skip
    """One program takes every row that lies a whole grid further; row p of each part is the sum over its rows."""
    program = tl.program_id(0)
    feature = tl.arange(0, BLOCK)
    inside = feature < d
    narrow = tl.load(weight_ptr + feature, mask=inside, other=0.0)  # (BLOCK,), in its dtype: half the registers
    dweight = tl.zeros([BLOCK], tl.float32)
    dbias = tl.zeros([BLOCK], tl.float32)

    for row in range(program, rows, tl.num_programs(0)):
        start = row.to(tl.int64) * d
        x = tl.load(x_ptr + start + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)
        dy = tl.load(dy_ptr + start + feature, mask=inside, other=0.0).to(tl.float32)
        centred, rstd = centre(x, inside, d, eps)
        normed = centred * rstd
        # rstd > 0, which the compiler cannot know: so it converts here, and keeps no float32 from before the loop
        weight = tl.where(rstd > 0, narrow, 0.0).to(tl.float32)  # (BLOCK,)

        # TODO (2 lines): add what this row contributes to `dweight` and to `dbias`
        raise NotImplementedError("parameter_gradients")

        # TODO (4 lines): `dx` (BLOCK,), from `dy`, `weight`, `normed` (which is x̂) and `rstd`
        raise NotImplementedError("row_gradient")

        tl.store(dx_ptr + start + feature, dx, mask=inside)

    tl.store(dweight_part_ptr + program * d + feature, dweight, mask=inside)
    tl.store(dbias_part_ptr + program * d + feature, dbias, mask=inside)


@triton.jit
def sum_kernel(
    dweight_ptr, dbias_ptr, dweight_part_ptr, dbias_part_ptr, parts, d, PARTS: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """One program sums BLOCK columns of both parts [parts, d], which are float32, PARTS rows at a time."""
    feature = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)  # (BLOCK,)
    step = tl.arange(0, PARTS)  # (PARTS,)

    # TODO (8 lines): `dweight` and `dbias` (PARTS, BLOCK), whose columns add up to the sums over all rows of the parts
    raise NotImplementedError("sum_parts")

    tl.store(dweight_ptr + feature, tl.sum(dweight, axis=0), mask=feature < d)
    tl.store(dbias_ptr + feature, tl.sum(dbias, axis=0), mask=feature < d)


def warps(BLOCK: int, elements: int) -> int:
    """So many that a thread has `elements` of a row; those of all the blocks in use must fit its registers."""
    return min(max(BLOCK // (32 * elements), 1), 16)  # of 32 warps, a thread has 64 registers at most


def layer_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """x [..., d] -> (x - mean) / sqrt(variance + eps) * weight + bias, [..., d], in the dtype of x."""
    x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()  # copies only what is not
    d = x.shape[-1]
    BLOCK = triton.next_power_of_2(d)

    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    layer_norm_kernel[(x.numel() // d,)](y, x, weight, bias, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 16))
    return y


def layer_norm_backward(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """dy, x [..., d], weight [d] -> dx [..., d], dweight [d] and dbias [d], in their dtype."""
    dy, x, weight = dy.contiguous(), x.contiguous(), weight.contiguous()
    d = x.shape[-1]
    rows, BLOCK = x.numel() // d, triton.next_power_of_2(d)

    # TODO (8 lines): `dx`, `dweight`, `dbias`, new tensors; at most PROGRAMS programs leave sums for `sum_kernel`
    raise NotImplementedError("launch_backward")

    return dx, dweight, dbias
