import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype, eps. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "plain rows": ((3, 8), 0, 1, torch.float32, 1e-7),
    "one row": ((16,), 0, 1, torch.float32, 1e-7),
    "batch and time": ((2, 3, 8), 0, 1, torch.float32, 1e-7),
    "odd width": ((5, 37), 1, 1, torch.float32, 1e-7),
    "one feature": ((4, 1), 0, 1, torch.float32, 0.1),
    "more features than 1024": ((2, 1100), 1, 1, torch.float32, 1e-7),
    "mean far from zero": ((3, 50), 2e4, 1, torch.float32, 1e-7),
    "rows as small as eps": ((3, 8), 0, 3e-3, torch.float32, 1e-5),
    "large eps": ((3, 8), 0, 1, torch.float32, 0.5),
    "squares overflow float16": ((9, 8), 0, 1e3, torch.float16, 1e-7),
    "squares vanish in float16": ((9, 50), 0, 1e-4, torch.float16, 1e-15),
    "bfloat16": ((9, 50), 1, 1, torch.bfloat16, 1e-7),
}

# Calls of the size that a model makes.
CALLS = [
    "layer_norm(bfloat16[1024, 8192], bfloat16[8192], bfloat16[8192])",
    "layer_norm_backward(bfloat16[8192, 4096], bfloat16[8192, 4096], bfloat16[4096])",
]


def draw(shape, mean=0.0, scale=1.0, dtype=torch.float32):
    """dy and x [*shape], dy of the size of x, so that dx is about 1; weight of both signs, away from 0 and from 1; bias."""
    dy, x = torch.randn(2, *shape)
    weight = (torch.rand(shape[-1]) + 1.5) * torch.randn(shape[-1]).sign()
    return (dy * scale).to(dtype), (x * scale + mean).to(dtype), weight.to(dtype), torch.randn(shape[-1]).to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_forward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    _, x, weight, bias = draw(shape, mean, scale, dtype)
    check("layer_norm", x, weight, bias, eps)


@pytest.mark.parametrize("case", CASES)
def test_backward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    dy, x, weight, _ = draw(shape, mean, scale, dtype)
    check("layer_norm_backward", dy, x, weight, eps)


def test_eps_is_a_hundred_thousandth_by_default(check):
    dy, x, weight, bias = draw((3, 8), scale=3e-3)
    check("layer_norm", x, weight, bias)
    check("layer_norm_backward", dy, x, weight)


def test_inputs_laid_out_each_in_its_own_way(check):
    dy, x, weight, bias = draw((5, 8))
    dy, x, weight, bias = dy[:1].expand(5, 8), x.T.contiguous().T, weight.repeat_interleave(2)[::2], bias[:1].expand(8)
    check("layer_norm", x, weight, bias, 1e-7)
    check("layer_norm_backward", dy, x, weight, 1e-7)


@pytest.mark.parametrize("call", CALLS)
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; rows about as small as eps."""
    half = random.choice([torch.float16, torch.bfloat16])
    many_axes = *random.choices([2, 3], k=random.randint(2, 3)), random.randint(40, 130)
    wide, tall = (2, random.randint(1500, 2500)), (random.randint(257, 270), random.randint(3, 7))
    for shape, dtype in ((many_axes, half), (wide, torch.float32), (tall, torch.float32), (wide, half)):
        eps = 10 ** random.uniform(-4, 0)
        dy, x, weight, bias = draw(shape, random.uniform(-2, 2) * eps**0.5, eps**0.5, dtype)
        if shape != tall:
            check("layer_norm", x, weight, bias, eps)
        check("layer_norm_backward", dy, x, weight, eps)


@reference("layer_norm", compute=torch.float32)
def definition(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps) * weight + bias


@reference("layer_norm_backward", compute=torch.float32)
def gradients(dy, x, weight, eps=1e-5):
    x, weight, bias = (each.detach().requires_grad_() for each in (x, weight, torch.zeros_like(weight)))
    return torch.autograd.grad(definition(x, weight, bias, eps), (x, weight, bias), dy)


@mistake(blank="statistics")
def forgets_mean(x, d, eps):
    centred = x
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d + eps)


@mistake(blank="statistics")
def padding_counts_in_variance(x, d, eps):
    centred = x - tl.sum(x, axis=0) / d
    rstd = tl.rsqrt(tl.sum(centred * centred, axis=0) / d + eps)


@mistake(blank="statistics")
def unbiased_variance(x, inside, d, eps):
    centred = tl.where(inside, x - tl.sum(x, axis=0) / d, 0.0)
    rstd = tl.rsqrt(tl.sum(centred * centred, axis=0) / (d - 1) + eps)


@mistake(blank="statistics")
def variance_from_moments(x, inside, d, eps):
    mean = tl.sum(x, axis=0) / d
    centred = tl.where(inside, x - mean, 0.0)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / d - mean * mean + eps)


@mistake(blank="statistics")
def eps_outside_sqrt(x, inside, d, eps):
    centred = tl.where(inside, x - tl.sum(x, axis=0) / d, 0.0)
    rstd = 1 / (tl.sqrt(tl.sum(centred * centred, axis=0) / d) + eps)


@mistake(blank="statistics")
def forgets_eps(x, inside, d):
    centred = tl.where(inside, x - tl.sum(x, axis=0) / d, 0.0)
    rstd = tl.rsqrt(tl.sum(centred * centred, axis=0) / d)


@mistake(blank="statistics")
def divides_by_variance(x, inside, d, eps):
    centred = tl.where(inside, x - tl.sum(x, axis=0) / d, 0.0)
    rstd = 1 / (tl.sum(centred * centred, axis=0) / d + eps)


@mistake(blank="forward")
def loads_without_mask(x_ptr, row, feature, inside, weight, bias, d, eps, centre):
    x = tl.load(x_ptr + row * d + feature).to(tl.float32)
    centred, rstd = centre(x, inside, d, eps)
    y = centred * rstd * weight + bias


@mistake(blank="forward")
def leaves_padding_undefined(x_ptr, row, feature, inside, weight, bias, d, eps, centre):
    x = tl.load(x_ptr + row * d + feature, mask=inside).to(tl.float32)
    centred, rstd = centre(x, inside, d, eps)
    y = centred * rstd * weight + bias


@mistake(blank="forward")
def forgets_bias(x_ptr, row, feature, inside, weight, d, eps, centre):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    centred, rstd = centre(x, inside, d, eps)
    y = centred * rstd * weight


@mistake(blank="forward")
def bias_before_weight(x_ptr, row, feature, inside, weight, bias, d, eps, centre):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    centred, rstd = centre(x, inside, d, eps)
    y = (centred * rstd + bias) * weight


@mistake(blank="forward")
def reads_x_twice(x_ptr, row, feature, inside, weight, bias, d, eps, centre):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    centred, rstd = centre(x, inside, d, eps)
    mean = tl.sum(x, axis=0) / d
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = (x - mean) * rstd * weight + bias


@mistake(blank="forward")
def reads_x_three_times(x_ptr, row, feature, inside, weight, bias, d, eps):
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / d
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    centred = tl.where(inside, x - mean, 0.0)
    rstd = 1 / tl.sqrt(tl.sum(centred * centred, axis=0) / d + eps)
    x = tl.load(x_ptr + row * d + feature, mask=inside, other=0.0).to(tl.float32)
    y = (x - mean) * rstd * weight + bias


@mistake(blank="row_gradient")
def statistics_taken_for_constants(dy, weight, rstd):
    dnormed = dy * weight
    dx = dnormed * rstd


@mistake(blank="row_gradient")
def mean_taken_for_constant(dy, weight, normed, d, rstd):
    dnormed = dy * weight
    dx = (dnormed - normed * (tl.sum(dnormed * normed, axis=0) / d)) * rstd


@mistake(blank="row_gradient")
def rstd_taken_for_constant(dy, weight, d, rstd):
    dnormed = dy * weight
    dx = (dnormed - tl.sum(dnormed, axis=0) / d) * rstd


@mistake(blank="row_gradient")
def forgets_weight_in_dx(dy, normed, d, rstd):
    dx = (dy - normed * (tl.sum(dy * normed, axis=0) / d) - tl.sum(dy, axis=0) / d) * rstd


@mistake(blank="row_gradient")
def sums_for_means(dy, weight, normed, rstd):
    dnormed = dy * weight
    dx = (dnormed - normed * tl.sum(dnormed * normed, axis=0) - tl.sum(dnormed, axis=0)) * rstd


@mistake(blank="row_gradient")
def forgets_to_divide_by_deviation(dy, weight, normed, d):
    dnormed = dy * weight
    dx = dnormed - normed * (tl.sum(dnormed * normed, axis=0) / d) - tl.sum(dnormed, axis=0) / d


@mistake(blank="parameter_gradients")
def last_row_only(dy, normed):
    dweight = dy * normed
    dbias = dy


@mistake(blank="parameter_gradients")
def exchanges_parameters(dweight, dbias, dy, normed):
    dweight += dy
    dbias += dy * normed


@mistake(blank="parameter_gradients")
def dweight_of_centred_x(dweight, dbias, dy, centred):
    dweight += dy * centred
    dbias += dy


@mistake(blank="parameter_gradients")
def dbias_times_weight(dweight, dbias, dy, weight, normed):
    dweight += dy * normed
    dbias += dy * weight


@mistake(blank="sum_parts")
def sums_without_mask(dweight_part_ptr, dbias_part_ptr, step, feature, parts, d, PARTS, BLOCK):
    dweight = tl.zeros([PARTS, BLOCK], tl.float32)
    dbias = tl.zeros([PARTS, BLOCK], tl.float32)
    for first in range(0, parts, PARTS):
        place = (first + step)[:, None] * d + feature[None, :]
        dweight += tl.load(dweight_part_ptr + place)
        dbias += tl.load(dbias_part_ptr + place)


@mistake(blank="sum_parts")
def first_block_of_parts(dweight_part_ptr, dbias_part_ptr, step, feature, parts, d):
    inside = (step[:, None] < parts) & (feature[None, :] < d)
    dweight = tl.load(dweight_part_ptr + step[:, None] * d + feature[None, :], mask=inside, other=0.0)
    dbias = tl.load(dbias_part_ptr + step[:, None] * d + feature[None, :], mask=inside, other=0.0)


@mistake(blank="launch_backward")
def a_part_for_each_row(dy, x, weight, rows, d, eps, BLOCK, layer_norm_backward_kernel, sum_kernel, warps):
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    parts = torch.empty((2, rows, d), dtype=torch.float32, device=x.device)
    layer_norm_backward_kernel[(rows,)](
        dx, parts[0], parts[1], dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    sum_kernel[(triton.cdiv(d, 32),)](dweight, dbias, parts[0], parts[1], rows, d, PARTS=32, BLOCK=32)


@mistake(blank="launch_backward")
def parts_in_the_dtype_of_x(
    dy, x, weight, rows, d, eps, BLOCK, layer_norm_backward_kernel, sum_kernel, warps, PROGRAMS
):  # fmt: skip
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    parts = torch.empty((2, programs, d), dtype=x.dtype, device=x.device)
    layer_norm_backward_kernel[(programs,)](
        dx, parts[0], parts[1], dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    sum_kernel[(triton.cdiv(d, 32),)](dweight, dbias, parts[0], parts[1], programs, d, PARTS=32, BLOCK=32)


@mistake(blank="launch_backward")
def one_warp_for_a_row(dy, x, weight, rows, d, eps, BLOCK, layer_norm_backward_kernel, sum_kernel, PROGRAMS):
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    parts = torch.empty((2, programs, d), dtype=torch.float32, device=x.device)
    layer_norm_backward_kernel[(programs,)](
        dx, parts[0], parts[1], dy, x, weight, rows, d, eps, BLOCK=BLOCK, num_warps=1
    )  # fmt: skip
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    sum_kernel[(triton.cdiv(d, 32),)](dweight, dbias, parts[0], parts[1], programs, d, PARTS=32, BLOCK=32)


@mistake(blank="launch_backward")
def float32_first(dy, x, weight, rows, d, eps, BLOCK, layer_norm_backward_kernel, sum_kernel, warps, PROGRAMS):
    programs = min(rows, PROGRAMS)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    parts = torch.empty((2, programs, d), dtype=torch.float32, device=x.device)
    layer_norm_backward_kernel[(programs,)](
        dx, parts[0], parts[1], dy.float(), x.float(), weight, rows, d, eps, BLOCK=BLOCK, num_warps=warps(BLOCK, 8)
    )
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    sum_kernel[(triton.cdiv(d, 32),)](dweight, dbias, parts[0], parts[1], programs, d, PARTS=32, BLOCK=32)
