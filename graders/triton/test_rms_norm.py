import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype, eps. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "plain rows": ((3, 8), 0, 1, torch.float32, 1e-6),
    "one row": ((16,), 0, 1, torch.float32, 1e-6),
    "batch and time": ((2, 3, 8), 0, 1, torch.float32, 1e-6),
    "odd width": ((5, 37), 0, 1, torch.float32, 1e-8),
    "one feature": ((4, 1), 0, 1, torch.float32, 0.1),
    "more features than 1024": ((2, 1100), 0, 1, torch.float32, 1e-6),
    "mean far from zero": ((3, 8), 5, 1, torch.float32, 1e-6),
    "rows as small as eps": ((3, 8), 0, 1e-3, torch.float32, 1e-6),
    "large eps": ((3, 8), 0, 1, torch.float32, 0.5),
    "squares overflow float16": ((9, 8), 0, 1e3, torch.float16, 1e-6),
    "squares vanish in float16": ((9, 50), 0, 1e-4, torch.float16, 1e-12),
    "bfloat16": ((9, 50), 0, 1, torch.bfloat16, 1e-6),
}

# Calls of the size that a model makes.
CALLS = [
    "rms_norm(bfloat16[1024, 8192], bfloat16[8192])",
    "rms_norm_backward(bfloat16[8192, 4096], bfloat16[8192, 4096], bfloat16[4096])",
]


def draw(shape, mean=0.0, scale=1.0, dtype=torch.float32):
    """dy and x [*shape], dy of the size of x, so that dx is about 1; weight of both signs, away from 0 and from 1."""
    dy, x = torch.randn(2, *shape)
    weight = (torch.rand(shape[-1]) + 1.5) * torch.randn(shape[-1]).sign()
    return (dy * scale).to(dtype), (x * scale + mean).to(dtype), weight.to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_forward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    _, x, weight = draw(shape, mean, scale, dtype)
    check("rms_norm", x, weight, eps)


@pytest.mark.parametrize("case", CASES)
def test_backward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    check("rms_norm_backward", *draw(shape, mean, scale, dtype), eps)


def test_eps_is_one_millionth_by_default(check):
    dy, x, weight = draw((3, 8), scale=1e-3)
    check("rms_norm", x, weight)
    check("rms_norm_backward", dy, x, weight)


def test_inputs_laid_out_each_in_its_own_way(check):
    dy, x, weight = draw((5, 8))
    dy, x, weight = dy[:1].expand(5, 8), x.T.contiguous().T, weight.repeat_interleave(2)[::2]
    check("rms_norm", x, weight, 1e-6)
    check("rms_norm_backward", dy, x, weight, 1e-6)


@pytest.mark.parametrize("call", CALLS)
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; rows about as small as eps."""
    half = random.choice([torch.float16, torch.bfloat16])
    many_axes = *random.choices([2, 3], k=random.randint(2, 3)), random.randint(40, 130)
    wide, tall = (2, random.randint(1500, 2500)), (random.randint(257, 270), random.randint(2, 7))
    for shape, dtype in ((many_axes, half), (wide, torch.float32), (tall, torch.float32), (wide, half)):
        eps = 10 ** random.uniform(-4, 0)
        dy, x, weight = draw(shape, scale=eps**0.5, dtype=dtype)
        if shape != tall:
            check("rms_norm", x, weight, eps)
        check("rms_norm_backward", dy, x, weight, eps)


@reference("rms_norm", compute=torch.float32)
def definition(x, weight, eps=1e-6):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight


@reference("rms_norm_backward", compute=torch.float32)
def gradients(dy, x, weight, eps=1e-6):
    x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
    return torch.autograd.grad(definition(x, weight, eps), (x, weight), dy)


@mistake(blank="forward")
def loads_without_mask(x_ptr, row, feature, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def leaves_padding_undefined(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def squares_in_half(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0).to(tl.float32) / d + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def mean_of_the_block(x_ptr, row, feature, inside, weight, d, eps, BLOCK):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / BLOCK + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def sum_of_squares(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def subtracts_mean(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    x = tl.where(inside, x - tl.sum(x, axis=0) / d, 0.0)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    y = x * rstd * weight


@mistake(blank="forward")
def eps_outside_sqrt(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = x / (tl.sqrt(tl.sum(x * x, axis=0) / d) + eps) * weight


@mistake(blank="forward")
def forgets_eps(x_ptr, row, feature, inside, weight, d):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = x * tl.rsqrt(tl.sum(x * x, axis=0) / d) * weight


@mistake(blank="forward")
def forgets_weight(x_ptr, row, feature, inside, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = x * tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)


@mistake(blank="forward")
def weight_plus_one(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = x * tl.rsqrt(tl.sum(x * x, axis=0) / d + eps) * (1 + weight)


@mistake(blank="forward")
def reads_x_twice(x_ptr, row, feature, inside, weight, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    y = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32) * rstd * weight


@mistake(blank="row_gradient")
def rms_taken_for_constant(x, dy, weight, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dx = dy * weight * rstd


@mistake(blank="row_gradient")
def forgets_weight_in_dx(x, dy, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dx = (dy - normed * (tl.sum(dy * normed, axis=0) / d)) * rstd


@mistake(blank="row_gradient")
def weight_in_the_first_term_only(x, dy, weight, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dx = (dy * weight - normed * (tl.sum(dy * normed, axis=0) / d)) * rstd


@mistake(blank="row_gradient")
def sum_for_mean(x, dy, weight, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dnormed = dy * weight
    dx = (dnormed - normed * tl.sum(dnormed * normed, axis=0)) * rstd


@mistake(blank="row_gradient")
def forgets_to_divide_by_rms(x, dy, weight, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dnormed = dy * weight
    dx = dnormed - normed * (tl.sum(dnormed * normed, axis=0) / d)


@mistake(blank="row_gradient")
def gradient_of_layer_norm(x, dy, weight, d, eps):
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)
    normed = x * rstd
    dnormed = dy * weight
    dx = (dnormed - normed * (tl.sum(dnormed * normed, axis=0) / d) - tl.sum(dnormed, axis=0) / d) * rstd


@mistake(blank="weight_gradient")
def last_row_only(dy, normed):
    dweight = dy * normed


@mistake(blank="weight_gradient")
def dweight_of_raw_x(dweight, dy, x):
    dweight += dy * x


@mistake(blank="weight_gradient")
def dweight_times_weight(dweight, dnormed, normed):
    dweight += dnormed * normed


@mistake(blank="sum_parts")
def sums_without_mask(part_ptr, step, feature, parts, d, PARTS, BLOCK):
    sums = tl.zeros([PARTS, BLOCK], tl.float32)
    for first in range(0, parts, PARTS):
        sums += tl.load(part_ptr + (first + step)[:, None] * d + feature[None, :])
    total = tl.sum(sums, axis=0)


@mistake(blank="sum_parts")
def first_part_only(part_ptr, feature, d):
    total = tl.load(part_ptr + feature, mask=feature < d, other=0.0)


@mistake(blank="sum_parts")
def first_block_of_parts(part_ptr, step, feature, parts, d):
    inside = (step[:, None] < parts) & (feature[None, :] < d)
    total = tl.sum(tl.load(part_ptr + step[:, None] * d + feature[None, :], mask=inside, other=0.0), axis=0)


@mistake(blank="sum_parts")
def mean_of_parts(part_ptr, step, feature, parts, d, PARTS, BLOCK):
    sums = tl.zeros([PARTS, BLOCK], tl.float32)
    for first in range(0, parts, PARTS):
        part = first + step
        inside = (part[:, None] < parts) & (feature[None, :] < d)
        sums += tl.load(part_ptr + part[:, None] * d + feature[None, :], mask=inside, other=0.0)
    total = tl.sum(sums, axis=0) / parts


@mistake(blank="launch")
def counts_first_axis(x, weight, d, eps, BLOCK, rms_norm_kernel, warps):
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    rms_norm_kernel[(x.shape[0],)](y, x, weight, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 16))


@mistake(blank="launch")
def block_of_1024(x, weight, d, eps, rms_norm_kernel):
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    rms_norm_kernel[(x.numel() // d,)](y, x, weight, d, eps, BLOCK=1024)


@mistake(blank="launch")
def returns_float32(x, weight, d, eps, BLOCK, rms_norm_kernel, warps):
    y = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    rms_norm_kernel[(x.numel() // d,)](y, x, weight, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 16))


@mistake(blank="launch")
def one_warp_for_a_row(x, weight, d, eps, BLOCK, rms_norm_kernel):
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    rms_norm_kernel[(x.numel() // d,)](y, x, weight, d, eps, BLOCK=BLOCK, num_warps=1)


@mistake(blank="launch_backward")
def a_part_for_each_row(dy, x, weight, rows, d, eps, BLOCK, rms_norm_backward_kernel, sum_kernel, warps):
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    part = torch.empty((rows, d), dtype=torch.float32, device=x.device)
    rms_norm_backward_kernel[(rows,)](
        dx, part, dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )  # fmt: skip
    dweight = torch.empty(d, dtype=weight.dtype, device=x.device)
    sum_kernel[(triton.cdiv(d, 32),)](dweight, part, rows, d, PARTS=64, BLOCK=32)


@mistake(blank="launch_backward")
def parts_in_the_dtype_of_x(dy, x, weight, rows, d, eps, BLOCK, rms_norm_backward_kernel, sum_kernel, warps, PROGRAMS):
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    part = torch.empty((programs, d), dtype=x.dtype, device=x.device)
    rms_norm_backward_kernel[(programs,)](
        dx, part, dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )  # fmt: skip
    dweight = torch.empty(d, dtype=weight.dtype, device=x.device)
    sum_kernel[(triton.cdiv(d, 32),)](dweight, part, programs, d, PARTS=64, BLOCK=32)


@mistake(blank="launch_backward")
def float32_first(dy, x, weight, rows, d, eps, BLOCK, rms_norm_backward_kernel, sum_kernel, warps, PROGRAMS):
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    part = torch.empty((programs, d), dtype=torch.float32, device=x.device)
    rms_norm_backward_kernel[(programs,)](
        dx, part, dy.float(), x.float(), weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )
    dweight = torch.empty(d, dtype=weight.dtype, device=x.device)
    sum_kernel[(triton.cdiv(d, 32),)](dweight, part, programs, d, PARTS=64, BLOCK=32)
