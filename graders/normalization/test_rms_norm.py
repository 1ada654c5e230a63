import random

import pytest
import torch

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype, eps. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "plain rows": ((3, 8), 0, 1, torch.float32, 1e-6),
    "one row": ((16,), 0, 1, torch.float32, 1e-6),
    "batch and time": ((2, 3, 8), 0, 1, torch.float32, 1e-6),
    "odd width": ((5, 37), 0, 1, torch.float32, 1e-8),
    "one feature": ((4, 1), 0, 1, torch.float32, 1e-6),
    "mean far from zero": ((3, 8), 5, 1, torch.float32, 1e-6),
    "rows as small as eps": ((3, 8), 0, 1e-3, torch.float32, 1e-6),
    "large eps": ((3, 8), 0, 1, torch.float32, 0.5),
    "squares overflow float16": ((3, 8), 0, 1e3, torch.float16, 1e-6),
    "squares vanish in float16": ((3, 64), 0, 1e-4, torch.float16, 1e-12),
    "squares near the end of float32": ((3, 8), 0, 1e15, torch.float32, 1e-6),
    "squares far below any usual eps": ((3, 8), 0, 1e-12, torch.float32, 1e-24),
    "bfloat16": ((4, 64), 0, 1, torch.bfloat16, 1e-6),
}


def draw(shape, mean=0.0, scale=1.0, dtype=torch.float32):
    """x [*shape] and weight [shape[-1]], the weight of both signs, away from 0 and from 1."""
    x = (torch.randn(shape) * scale + mean).to(dtype)
    return x, ((torch.rand(shape[-1]) + 1.5) * torch.randn(shape[-1]).sign()).to(dtype)


def change_one(x):
    """x but for one element in the middle, which a glance at the ends does not notice."""
    changed = x.clone()
    changed.view(-1)[x.numel() // 2] += 1
    return changed


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    shape, mean, scale, dtype, eps = CASES[case]
    check("rms_norm", *draw(shape, mean, scale, dtype), eps)


def test_eps_is_one_millionth_by_default(check):
    check("rms_norm", *draw((3, 8), scale=1e-3))


def test_a_row_of_zeros_stays_zero(check):
    check("rms_norm", torch.zeros(2, 8), torch.ones(8), 1e-6)


def test_a_non_contiguous_input(check):
    x, _ = draw((8, 5))
    check("rms_norm", x.T, torch.rand(8) + 0.5, 1e-6)


def test_gradients(check):
    check("rms_norm", *draw((3, 8)), 1e-6, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; rows about as small as eps."""
    many_axes = *random.choices([2, 3], k=random.randint(3, 4)), random.randint(65, 130)
    wide, tall = (2, random.randint(4097, 5000)), (random.randint(257, 300), random.randint(2, 7))
    eps = 10 ** random.uniform(-6, 0)
    x, weight = draw(many_axes, scale=eps**0.5)
    check("rms_norm", x, weight, eps, gradients=True)
    dtypes = torch.float16, torch.float32, torch.bfloat16, torch.float32
    for shape, dtype in zip((wide, tall, wide, wide), dtypes, strict=True):
        other = 10 ** random.uniform(-6, 0)
        check("rms_norm", *draw(shape, scale=other**0.5, dtype=dtype), other, gradients=dtype == torch.float32)
    check("rms_norm", change_one(x), weight, eps)


@reference("rms_norm", compute=torch.float32)
def definition(x, weight, eps=1e-6):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight


@mistake(blank="widen")
def subtracts_mean(x):
    wide = x.float()
    wide = wide - wide.mean(-1, keepdim=True)


@mistake(blank="normalise")
def eps_outside_sqrt(wide, eps):
    normed = wide / (wide.pow(2).mean(-1, keepdim=True).sqrt() + eps)


@mistake(blank="normalise")
def forgets_eps(wide):
    normed = wide / wide.pow(2).mean(-1, keepdim=True).sqrt()


@mistake(blank="normalise")
def clamps_the_length(wide):
    normed = torch.nn.functional.normalize(wide, dim=-1) * wide.shape[-1] ** 0.5


@mistake(blank="normalise")
def mixes_rows(wide, eps):
    normed = wide / torch.sqrt(wide.pow(2).mean() + eps)


@mistake(blank="normalise")
def sum_of_squares(wide, eps):
    normed = wide / torch.sqrt(wide.pow(2).sum(-1, keepdim=True) + eps)


@mistake(blank="normalise")
def unbiased_mean(wide, eps):
    normed = wide / torch.sqrt(wide.pow(2).sum(-1, keepdim=True) / (wide.shape[-1] - 1) + eps)


@mistake(blank="normalise")
def no_square_root(wide, eps):
    normed = wide / (wide.pow(2).mean(-1, keepdim=True) + eps)


@mistake(blank="scale")
def forgets_weight(x, normed):
    return normed.to(x.dtype)


@mistake(blank="scale")
def weight_plus_one(x, normed, weight):
    return (normed * (1 + weight.float())).to(x.dtype)


@mistake(blank="widen")
def squares_in_half(x):
    wide = x


@mistake(blank="scale")
def returns_float32(normed, weight):
    return normed * weight.float()
