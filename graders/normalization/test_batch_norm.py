import random

import pytest
import torch

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype, eps. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "a batch of vectors": ((6, 4), 0, 1, torch.float32, 1e-8),
    "positions": ((3, 4, 5), 0, 1, torch.float32, 1e-8),
    "images": ((2, 3, 4, 5), 0, 1, torch.float32, 1e-8),
    "one channel": ((7, 1), 0, 1, torch.float32, 1e-8),
    "two values of a channel": ((2, 5), 0, 1, torch.float32, 1e-8),
    "mean far above the deviation": ((32, 3), 1000, 1, torch.float32, 1e-8),
    "values as small as eps": ((6, 4), 0, 3e-3, torch.float32, 1e-5),
    "large eps": ((6, 4), 2, 1, torch.float32, 0.5),
    "squares overflow float16": ((6, 4), 0, 1e3, torch.float16, 1e-5),
    "bfloat16": ((5, 3, 7), 1, 1, torch.bfloat16, 1e-5),
}


def draw(shape, mean=0.0, scale=1.0, dtype=torch.float32):
    """x [*shape], weight, bias, running mean and variance [shape[1]]: near those of x, but not equal to them."""
    c = shape[1]
    x = (torch.randn(shape) * scale * (0.5 + torch.rand(c, *[1] * (len(shape) - 2))) + mean).to(dtype)
    weight = (torch.rand(c) + 1.5) * torch.randn(c).sign()
    running = mean + scale * torch.randn(c), (scale * (0.5 + torch.rand(c))) ** 2
    return x, weight.to(dtype), torch.randn(c).to(dtype), *running


@pytest.mark.parametrize("case", CASES)
def test_training(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    check("batch_norm", *draw(shape, mean, scale, dtype), True, 0.3, eps)


@pytest.mark.parametrize("case", CASES)
def test_inference(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    check("batch_norm", *draw(shape, mean, scale, dtype), False, 0.3, eps)


@pytest.mark.parametrize("case", CASES)
def test_backward(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    x, weight, *_ = draw(shape, mean, scale, dtype)
    check("batch_norm_backward", torch.randn(shape).to(dtype), x, weight, eps)


def test_one_example_in_inference(check):
    check("batch_norm", *draw((1, 4)), False)


def test_momentum_and_eps_by_default(check):
    inputs = draw((6, 4), scale=3e-3)
    check("batch_norm", *inputs, True)
    check("batch_norm_backward", torch.randn(6, 4), *inputs[:2])


def test_equal_values(check):
    _, *others = draw((6, 4))
    check("batch_norm", torch.full((6, 4), 0.5), *others, True, 0.3, 1e-5)
    check("batch_norm_backward", torch.randn(6, 4), torch.full((6, 4), 0.5), others[0], 1e-5)


def test_non_contiguous_inputs(check):
    _, *others = draw((6, 4, 5))
    x, dy = torch.randn(5, 4, 6).permute(2, 1, 0), torch.randn(4, 6, 5).transpose(0, 1)
    check("batch_norm", x, *others, True, 0.3, 1e-8)
    check("batch_norm_backward", dy, x, others[0], 1e-8)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; each running on from the last."""
    for dtype in torch.float32, random.choice([torch.float16, torch.bfloat16]):
        shape = random.randint(17, 40), random.randint(3, 9), *random.choices([1, 2, 5], k=random.randint(0, 2))
        eps, momentum = 10 ** random.uniform(-5, 0), random.uniform(0.05, 0.95)
        x, weight, bias, *running = draw(shape, random.uniform(-1, 1), eps**0.5, dtype)
        for training in True, True, False:
            check("batch_norm", x, weight, bias, *running, training, momentum, eps)
            x = (torch.randn(shape) * eps**0.5).to(dtype)
            running = torch.randn(shape[1]), torch.rand(shape[1]) + eps
        check("batch_norm_backward", torch.randn(shape).to(dtype), x, weight, eps)


def axes(x):
    """All but that of the channels."""
    return [0, *range(2, x.ndim)]


def normalised(x, weight, bias, mean, var, eps):
    per_channel = [1, -1] + [1] * (x.ndim - 2)
    weight, bias, mean, var = (each.reshape(per_channel) for each in (weight, bias, mean, var))
    return (x - mean) / torch.sqrt(var + eps) * weight + bias


def of_the_batch(x):
    """Mean and variance of each channel, and how many values it has."""
    mean = x.mean(axes(x), keepdim=True)
    squares = ((x - mean) ** 2).mean(axes(x))
    return mean.flatten(), squares, x.numel() // x.shape[1]


@reference("batch_norm", compute=torch.float32, dtypes={"[1]": torch.float32, "[2]": torch.float32})
def definition(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if not training:
        return normalised(x, weight, bias, running_mean, running_var, eps), running_mean, running_var
    mean, var, m = of_the_batch(x)
    running_mean = running_mean + momentum * (mean - running_mean)
    running_var = running_var + momentum * (var * (m / (m - 1)) - running_var)
    return normalised(x, weight, bias, mean, var, eps), running_mean, running_var


@reference("batch_norm_backward", compute=torch.float32)
def gradients(dy, x, weight, eps=1e-5):
    """By automatic differentiation of the definition."""
    with torch.enable_grad():
        inputs = [each.detach().requires_grad_() for each in (x, weight, torch.zeros_like(weight))]
        y = normalised(*inputs, *of_the_batch(inputs[0])[:2], eps)
        return torch.autograd.grad(y, inputs, dy)


@mistake(blank="rows")
def reshapes_only(x):
    return x.reshape(-1, x.shape[1]).float()


@mistake(blank="rows", rounding=True)
def computes_in_half(x):
    return x.movedim(1, -1).flatten(0, -2)


@mistake(blank="moments")
def each_example_by_itself(rows):
    mean = rows.mean(1, keepdim=True)
    return mean, (rows - mean).pow(2).mean(1, keepdim=True)


@mistake(blank="moments")
def unbiased_in_the_batch(rows):
    return rows.mean(0), rows.var(0)


@mistake(blank="moments", rounding=True)
def difference_of_squares(rows):
    mean = rows.mean(0)
    return mean, (rows.pow(2).mean(0) - mean.pow(2)).clamp(min=0)


@mistake(blank="running")
def forgets_to_run():
    pass


@mistake(blank="running")
def reversed_momentum(running_mean, running_var, mean, var, momentum, rows):
    unbiased = var * len(rows) / (len(rows) - 1)
    running_mean = momentum * running_mean + (1 - momentum) * mean
    running_var = momentum * running_var + (1 - momentum) * unbiased


@mistake(blank="running")
def running_of_cs231n(running_mean, running_var, mean, var, momentum):
    running_mean = momentum * running_mean + (1 - momentum) * mean
    running_var = momentum * running_var + (1 - momentum) * var


@mistake(blank="running")
def biased_running_variance(running_mean, running_var, mean, var, momentum):
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var


@mistake(blank="running")
def unbiased_twice(running_mean, running_var, mean, var, momentum, rows):
    var = var * len(rows) / (len(rows) - 1)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var


@mistake(blank="running")
def trains_by_running_statistics(running_mean, running_var, mean, var, momentum, rows):
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var * len(rows) / (len(rows) - 1)
    mean, var = running_mean, running_var


@mistake(blank="running")
def runs_in_place(running_mean, running_var, mean, var, momentum, rows):
    running_mean.mul_(1 - momentum).add_(momentum * mean)
    running_var.mul_(1 - momentum).add_(momentum * var * len(rows) / (len(rows) - 1))


@mistake(blank="inference")
def batch_statistics_in_inference(rows):
    mean, var = moments(rows)  # noqa: F821


@mistake(blank="inference")
def runs_on_in_inference(running_mean, running_var, momentum, rows):
    mean, var = running_mean, running_var
    running_mean = (1 - momentum) * running_mean + momentum * rows.mean(0)


@mistake(blank="normalise")
def forgets_eps(rows, mean, var, weight, bias):
    y = (rows - mean) / torch.sqrt(var) * weight.float() + bias.float()


@mistake(blank="normalise")
def eps_outside_sqrt(rows, mean, var, weight, bias, eps):
    y = (rows - mean) / (torch.sqrt(var) + eps) * weight.float() + bias.float()


@mistake(blank="normalise")
def divides_by_the_variance(rows, mean, var, weight, bias, eps):
    y = (rows - mean) / (var + eps) * weight.float() + bias.float()


@mistake(blank="normalise")
def forgets_weight_and_bias(rows, mean, var, eps):
    y = (rows - mean) / torch.sqrt(var + eps)


@mistake(blank="parameters")
def averages_over_the_batch(wide_dy, normed):
    dweight, dbias = (wide_dy * normed).mean(0), wide_dy.mean(0)


@mistake(blank="parameters")
def weight_gradient_from_x(wide_dy, rows):
    dweight, dbias = (wide_dy * rows).sum(0), wide_dy.sum(0)


@mistake(blank="input")
def statistics_are_constants(wide_dy, weight, rstd):
    dx = rstd * wide_dy * weight.float()


@mistake(blank="input")
def forgets_the_mean(wide_dy, weight, normed, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - normed * (dnormed * normed).mean(0))


@mistake(blank="input")
def forgets_the_deviation(wide_dy, weight, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - dnormed.mean(0))


@mistake(blank="input")
def forgets_the_weight(wide_dy, normed, rstd):
    dx = rstd * (wide_dy - wide_dy.mean(0) - normed * (wide_dy * normed).mean(0))


@mistake(blank="input")
def sums_for_means(wide_dy, weight, normed, rstd):
    dnormed = wide_dy * weight.float()
    dx = rstd * (dnormed - dnormed.sum(0) - normed * (dnormed * normed).sum(0))
