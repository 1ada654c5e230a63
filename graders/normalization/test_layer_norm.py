import random

import pytest
import torch

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype, eps. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "plain rows": ((3, 8), 0, 1, torch.float32, 1e-8),
    "one row": ((16,), 0, 1, torch.float32, 1e-8),
    "batch and time": ((2, 3, 8), 0, 1, torch.float32, 1e-8),
    "odd width": ((5, 37), 0, 1, torch.float32, 1e-8),
    "one feature": ((4, 1), 1, 1, torch.float32, 1e-5),
    "two features": ((4, 2), 0, 1, torch.float32, 1e-8),
    "mean far above the deviation": ((3, 64), 1000, 1, torch.float32, 1e-8),
    "rows as small as eps": ((3, 8), 0, 3e-3, torch.float32, 1e-5),
    "large eps": ((3, 8), 2, 1, torch.float32, 0.5),
    "squares overflow float16": ((3, 8), 0, 1e3, torch.float16, 1e-5),
    "bfloat16": ((4, 64), 1, 1, torch.bfloat16, 1e-5),
}


def draw(shape, mean=0.0, scale=1.0, dtype=torch.float32):
    """x [*shape], and weight and bias [shape[-1]]: the weight of both signs, away from 0 and from 1."""
    x = (torch.randn(shape) * scale + mean).to(dtype)
    weight = (torch.rand(shape[-1]) + 1.5) * torch.randn(shape[-1]).sign()
    return x, weight.to(dtype), torch.randn(shape[-1]).to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_forward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    check("layer_norm", *draw(shape, mean, scale, dtype), eps)


@pytest.mark.parametrize("case", CASES)
def test_backward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    x, weight, _ = draw(shape, mean, scale, dtype)
    check("layer_norm_backward", torch.randn(shape).to(dtype), x, weight, eps)


def test_eps_is_one_hundred_thousandth_by_default(check):
    x, weight, bias = draw((3, 8), scale=3e-3)
    check("layer_norm", x, weight, bias)
    check("layer_norm_backward", torch.randn(3, 8), x, weight)


def test_equal_features(check):
    x, weight, bias = torch.full((2, 8), 0.5), *draw((2, 8))[1:]
    check("layer_norm", x, weight, bias, 1e-5)
    check("layer_norm_backward", torch.randn(2, 8), x, weight, 1e-5)


def test_non_contiguous_inputs(check):
    _, weight, bias = draw((5, 8))
    check("layer_norm", torch.randn(8, 5).T, weight, bias, 1e-8)
    check(
        "layer_norm_backward", torch.randn(3, 2, 8).transpose(0, 1), torch.randn(8, 3, 2).permute(2, 1, 0), weight, 1e-8
    )


def test_gradients_of_the_forward_pass(check):
    check("layer_norm", *draw((3, 8)), 1e-8, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; rows about as small as eps."""
    for dtype in torch.float32, random.choice([torch.float16, torch.bfloat16]), torch.float32:
        shape = *random.choices([2, 3], k=random.randint(1, 3)), random.randint(65, 130)
        eps = 10 ** random.uniform(-5, 0)
        x, weight, bias = draw(shape, mean=random.uniform(-1, 1), scale=eps**0.5, dtype=dtype)
        check("layer_norm", x, weight, bias, eps, gradients=dtype == torch.float32)
        check("layer_norm_backward", torch.randn(shape).to(dtype), x, weight, eps)
    wide, tall = (2, random.randint(4097, 5000)), (random.randint(257, 300), random.randint(3, 7))
    for shape in wide, tall:
        x, weight, bias = draw(shape)
        check("layer_norm", x, weight, bias, 1e-5)
        check("layer_norm_backward", torch.randn(shape), x, weight, 1e-5)


@reference("layer_norm", compute=torch.float32)
def definition(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps) * weight + bias


@reference("layer_norm_backward", compute=torch.float32)
def gradients(dy, x, weight, eps=1e-5):
    """By automatic differentiation of the definition."""
    with torch.enable_grad():
        inputs = [each.detach().requires_grad_() for each in (x, weight, torch.zeros_like(weight))]
        return torch.autograd.grad(definition(*inputs, eps), inputs, dy)


@mistake(blank="standardise")
def forgets_to_centre(x, eps):
    rstd = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + eps)
    return x.float() * rstd, rstd


@mistake(blank="standardise")
def forgets_eps(x):
    centred = x.float() - x.float().mean(-1, keepdim=True)
    rstd = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True))
    return centred * rstd, rstd


@mistake(blank="standardise")
def eps_outside_sqrt(x, eps):
    centred = x.float() - x.float().mean(-1, keepdim=True)
    rstd = 1 / (centred.pow(2).mean(-1, keepdim=True).sqrt() + eps)
    return centred * rstd, rstd


@mistake(blank="standardise")
def unbiased_variance(x, eps):
    wide = x.float()
    rstd = torch.rsqrt(wide.var(-1, keepdim=True) + eps)
    return (wide - wide.mean(-1, keepdim=True)) * rstd, rstd


@mistake("layer_norm")
def unbiased_forward(x, weight, bias, eps=1e-5):
    wide = x.float()
    normed = (wide - wide.mean(-1, keepdim=True)) * torch.rsqrt(wide.var(-1, keepdim=True) + eps)
    return (normed * weight.float() + bias.float()).to(x.dtype)


@mistake("layer_norm")
def deviation_plus_eps(x, weight, bias, eps=1e-5):
    wide = x.float()
    normed = (wide - wide.mean(-1, keepdim=True)) / (wide.std(-1, keepdim=True) + eps)
    return (normed * weight.float() + bias.float()).to(x.dtype)


@mistake(blank="standardise")
def divides_by_the_variance(x, eps):
    centred = x.float() - x.float().mean(-1, keepdim=True)
    rstd = 1 / (centred.pow(2).mean(-1, keepdim=True) + eps)
    return centred * rstd, rstd


@mistake(blank="standardise")
def normalises_each_feature(x, eps):
    centred = x.float() - x.float().mean(0, keepdim=True)
    rstd = torch.rsqrt(centred.pow(2).mean(0, keepdim=True) + eps)
    return centred * rstd, rstd


@mistake(blank="standardise")
def normalises_each_text(x, eps):
    axes = (-2, -1) if x.ndim > 1 else -1
    centred = x.float() - x.float().mean(axes, keepdim=True)
    rstd = torch.rsqrt(centred.pow(2).mean(axes, keepdim=True) + eps)
    return centred * rstd, rstd


@mistake(blank="standardise", rounding=True)
def difference_of_squares(x, eps):
    wide = x.float()
    mean = wide.mean(-1, keepdim=True)
    rstd = torch.rsqrt((wide.pow(2).mean(-1, keepdim=True) - mean.pow(2)).clamp(min=0) + eps)
    return (wide - mean) * rstd, rstd


@mistake(blank="standardise", rounding=True)
def computes_in_half(x, eps):
    centred = x - x.mean(-1, keepdim=True)
    rstd = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + eps)
    return centred * rstd, rstd


@mistake(blank="affine")
def forgets_weight(x, normed, bias):
    return (normed + bias.float()).to(x.dtype)


@mistake(blank="affine")
def forgets_bias(x, normed, weight):
    return (normed * weight.float()).to(x.dtype)


@mistake(blank="affine")
def adds_bias_first(x, normed, weight, bias):
    return ((normed + bias.float()) * weight.float()).to(x.dtype)


@mistake(blank="affine")
def returns_float32(normed, weight, bias):
    return normed * weight.float() + bias.float()


@mistake(blank="parameters")
def weight_gradient_from_x(wide_dy, x):
    dweight = (wide_dy * x.float()).reshape(-1, x.shape[-1]).sum(0)
    dbias = wide_dy.reshape(-1, x.shape[-1]).sum(0)


@mistake(blank="parameters")
def averages_over_rows(wide_dy, normed, x):
    dweight = (wide_dy * normed).reshape(-1, x.shape[-1]).mean(0)
    dbias = wide_dy.reshape(-1, x.shape[-1]).mean(0)


@mistake(blank="parameters")
def sums_over_the_first_axis_only(wide_dy, normed):
    dweight, dbias = (wide_dy * normed).sum(0), wide_dy.sum(0)


@mistake(blank="parameters")
def bias_gradient_times_weight(wide_dy, normed, x, weight):
    dweight = (wide_dy * normed).reshape(-1, x.shape[-1]).sum(0)
    dbias = (wide_dy * weight.float()).reshape(-1, x.shape[-1]).sum(0)


@mistake(blank="input")
def statistics_are_constants(wide_dy, weight, rstd):
    dx = rstd * wide_dy * weight.float()


@mistake(blank="input")
def forgets_the_mean(wide_dy, weight, normed, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - normed * (dnormed * normed).mean(-1, keepdim=True))


@mistake(blank="input")
def forgets_the_deviation(wide_dy, weight, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - dnormed.mean(-1, keepdim=True))


@mistake(blank="input")
def weight_comes_last(wide_dy, weight, normed, rstd):
    inner = wide_dy - wide_dy.mean(-1, keepdim=True) - normed * (wide_dy * normed).mean(-1, keepdim=True)
    dx = rstd * inner * weight.float()


@mistake(blank="input")
def forgets_to_divide(wide_dy, weight, normed):
    dnormed = wide_dy * weight.float()
    dx = dnormed - dnormed.mean(-1, keepdim=True) - normed * (dnormed * normed).mean(-1, keepdim=True)


@mistake(blank="input")
def sums_for_means(wide_dy, weight, normed, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - dnormed.sum(-1, keepdim=True) - normed * (dnormed * normed).sum(-1, keepdim=True))
