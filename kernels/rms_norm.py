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

    # BLANK forward
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)  # (BLOCK,); squares of 0 add nothing
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)  # the reciprocal of the root mean square
    y = x * rstd * weight
    # END

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

        # BLANK row_gradient
        rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
        normed = x * rstd
        dnormed = dy * weight
        dx = (dnormed - normed * (tl.sum(dnormed * normed, axis=0) / d)) * rstd  # rstd depends on all of x
        # END

        tl.store(dx_ptr + place, dx, mask=inside)

        # BLANK weight_gradient
        dweight += dy * normed
        # END

    tl.store(part_ptr + program * d + feature, dweight, mask=inside)


@triton.jit
def sum_kernel(total_ptr, part_ptr, parts, d, PARTS: tl.constexpr, BLOCK: tl.constexpr):
    """One program sums BLOCK columns of part [parts, d], which is float32, PARTS rows at a time."""
    feature = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)  # (BLOCK,)
    step = tl.arange(0, PARTS)  # (PARTS,)

    # BLANK sum_parts
    sums = tl.zeros([PARTS, BLOCK], tl.float32)
    for first in range(0, parts, PARTS):
        part = first + step  # (PARTS,)
        inside = (part[:, None] < parts) & (feature[None, :] < d)
        sums += tl.load(part_ptr + part[:, None] * d + feature[None, :], mask=inside, other=0.0)
    total = tl.sum(sums, axis=0)  # (BLOCK,)
    # END

    tl.store(total_ptr + feature, total, mask=feature < d)


def warps(BLOCK: int, elements: int) -> int:
    """So many that a thread has `elements` of a row; those of all the blocks in use must fit its registers."""
    return min(max(BLOCK // (32 * elements), 1), 32)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """x [..., d] -> x / sqrt(mean(x²) + eps) * weight, [..., d], in the dtype of x."""
    x, weight = x.contiguous(), weight.contiguous()  # copies only what is not
    d = x.shape[-1]
    BLOCK = triton.next_power_of_2(d)

    # BLANK launch
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    rms_norm_kernel[(x.numel() // d,)](y, x, weight, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 16))
    # END

    return y


def rms_norm_backward(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor]:
    """dy, x [..., d], weight [d] -> dx [..., d] and dweight [d], in their dtype."""
    dy, x, weight = dy.contiguous(), x.contiguous(), weight.contiguous()
    d = x.shape[-1]
    rows, BLOCK = x.numel() // d, triton.next_power_of_2(d)

    # BLANK launch_backward
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    part = torch.empty((programs, d), dtype=torch.float32, device=x.device)
    rms_norm_backward_kernel[(programs,)](dx, part, dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8))
    dweight = torch.empty(d, dtype=weight.dtype, device=x.device)
    sum_kernel[(triton.cdiv(d, 32),)](dweight, part, programs, d, PARTS=64, BLOCK=32)
    # END

    return dx, dweight
