import torch
import triton
import triton.language as tl

PROGRAMS = 128  # of the backward pass at most: one or so for each multiprocessor


@triton.jit
def centre(x, inside, d, eps):
    """A row (BLOCK,) without its mean, zeros beyond it, and the reciprocal of its standard deviation."""
    # BLANK statistics
    mean = tl.sum(x, axis=0) / d
    centred = tl.where(inside, x - mean, 0.0)  # (BLOCK,); the padding would be -mean, and count in the variance
    variance = tl.sum(centred * centred, axis=0) / d  # mean(x²) - mean² cancels
    rstd = tl.rsqrt(variance + eps)
    # END

    return centred, rstd


@triton.jit
def layer_norm_kernel(y_ptr, x_ptr, weight_ptr, bias_ptr, d, eps, BLOCK: tl.constexpr):
    """One program normalises one row. All tensors are contiguous."""
    row = tl.program_id(0).to(tl.int64)  # in 32 bits, row * d overflows from 2**31 elements
    feature = tl.arange(0, BLOCK)  # (BLOCK,), a power of two, at least d
    inside = feature < d
    weight = tl.load(weight_ptr + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,)
    bias = tl.load(bias_ptr + feature, mask=inside, other=0.0).to(tl.float32)

    # BLANK forward
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,); zeros add nothing
    centred, rstd = centre(x, inside, d, eps)
    y = centred * rstd * weight + bias
    # END

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

        # BLANK parameter_gradients
        dweight += dy * normed
        dbias += dy
        # END

        # BLANK row_gradient
        dnormed = dy * weight
        by_rstd = tl.sum(dnormed * normed, axis=0) / d  # rstd and the mean depend on all of x
        by_mean = tl.sum(dnormed, axis=0) / d
        dx = (dnormed - normed * by_rstd - by_mean) * rstd
        # END

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

    # BLANK sum_parts
    dweight = tl.zeros([PARTS, BLOCK], tl.float32)
    dbias = tl.zeros([PARTS, BLOCK], tl.float32)
    for first in range(0, parts, PARTS):
        part = first + step  # (PARTS,)
        place = part[:, None] * d + feature[None, :]  # (PARTS, BLOCK)
        inside = (part[:, None] < parts) & (feature[None, :] < d)
        dweight += tl.load(dweight_part_ptr + place, mask=inside, other=0.0)
        dbias += tl.load(dbias_part_ptr + place, mask=inside, other=0.0)
    # END

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

    # BLANK launch_backward
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    parts = torch.empty((2, programs, d), dtype=torch.float32, device=x.device)
    layer_norm_backward_kernel[(programs,)](
        dx, parts[0], parts[1], dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    sum_kernel[(triton.cdiv(d, 32),)](dweight, dbias, parts[0], parts[1], programs, d, PARTS=32, BLOCK=32)
    # END

    return dx, dweight, dbias
