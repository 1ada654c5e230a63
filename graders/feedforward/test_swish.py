import random

import pytest
import torch

from clozekit.grading import mistake, reference

# shape, scale, beta. Only a beta that is neither 0 nor 1 shows where it belongs.
CASES = {
    "plain rows": ((3, 8), 1.5, 1.0),
    "one number": ((), 1, 1.5),
    "four axes": ((2, 3, 1, 5), 1.5, 1.7),
    "small beta": ((3, 8), 2, 0.3),
    "large beta": ((3, 8), 0.3, 6.0),
    "negative beta": ((3, 8), 1, -1.6),
    "beta of zero": ((3, 8), 2, 0.0),
    "hundreds": ((2, 16), 600, 1.3),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(shape, scale=1.5, dtype=torch.float32):
    """Of both signs, and not so close to 0 that every gate is a half open."""
    x = torch.rand(shape) + 0.5
    return (scale * x * torch.randn(shape).sign()).to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_swish(check, case):
    shape, scale, beta = CASES[case]
    check("swish", draw(shape, scale), beta)


@pytest.mark.parametrize("case", CASES)
def test_derivative(check, case):
    shape, scale, beta = CASES[case]
    check("swish_grad", draw(shape, scale), beta)


def test_beta_is_one_by_default(check):
    check("swish", draw((3, 8)))
    check("swish_grad", draw((3, 8)))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """Where the gate is almost shut, a rounding of βx changes it most."""
    x = -draw((3, 64), 3, DTYPES[case]).abs()
    check("swish", x, 1.3)
    check("swish_grad", x, 1.3)


def test_a_non_contiguous_input(check):
    check("swish", draw((8, 5)).T, 1.3)
    check("swish_grad", draw((8, 5)).T, 1.3)


def test_gradients(check):
    check("swish", draw((3, 8)), 1.3, gradients=True)


def test_gradients_in_the_hundreds(check):
    check("swish", draw((2, 16), 300), 1.3, gradients=True)
    check("swish", draw((2, 16), 300), -1.3, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One beta after the other, so that what one leaves behind is wrong for the next."""
    for dtype in torch.float32, random.choice([torch.float16, torch.bfloat16]), torch.float32:
        shape = *random.choices([2, 3], k=random.randint(0, 3)), random.randint(33, 80)
        beta = random.choice([-1, 1]) * random.uniform(0.2, 3)
        x = draw(shape, random.uniform(0.5, 2), dtype)
        check("swish", x, beta, gradients=dtype == torch.float32)
        check("swish_grad", x, beta)
    far = draw((random.randint(257, 300), 3), 300)
    check("swish", far, random.uniform(0.5, 2), gradients=True)
    check("swish_grad", far, random.uniform(0.5, 2))


def sigmoid(z):
    """As a tanh, whose rounding is no smaller where the gate is shut: there many honest ways to σ are 0, or nearly so."""
    return (1 + torch.tanh(z / 2)) / 2


@reference("swish", compute=torch.float32)
def definition(x, beta=1.0):
    return x * sigmoid(beta * x)


@reference("swish_grad", compute=torch.float32)
def derivative(x, beta=1.0):
    """As in the paper: β f(x) + σ(βx) (1 - β f(x))."""
    gate = sigmoid(beta * x)
    scaled = beta * x * gate
    return scaled + gate * (1 - scaled)


@mistake(blank="swish")
def forgets_beta(wide):
    y = wide * torch.sigmoid(wide)


@mistake(blank="swish")
def beta_outside(wide, beta):
    y = beta * wide * torch.sigmoid(wide)


@mistake(blank="swish")
def beta_twice(wide, beta):
    y = beta * wide * torch.sigmoid(beta * wide)


@mistake(blank="swish")
def divides_by_beta(wide, beta):
    y = wide * torch.sigmoid(wide / beta)


@mistake(blank="swish")
def returns_the_gate(wide, beta):
    y = torch.sigmoid(beta * wide)


@mistake(blank="swish")
def gate_of_the_wrong_sign(wide, beta):
    y = wide * torch.sigmoid(-beta * wide)


@mistake(blank="swish")
def tanh_gate(wide, beta):
    y = wide * torch.tanh(beta * wide)


@mistake(blank="swish")
def hard_gate(wide, beta):
    y = wide * (beta * wide / 6 + 0.5).clamp(0, 1)


@mistake(blank="swish")
def levels_off(wide, beta):
    y = wide.clamp(max=1) * torch.sigmoid(beta * wide)


@mistake(blank="swish")
def gradient_overflows(wide, beta):
    y = wide / (1 + torch.exp(-beta * wide))


@mistake(blank="swish")
def exponentials_overflow(wide, beta):
    y = wide * torch.exp(beta * wide) / (1 + torch.exp(beta * wide))


@mistake("swish", rounding=True)
def computes_in_half(x, beta=1.0):
    return x * torch.sigmoid(beta * x)


@mistake("swish")
def returns_float32(x, beta=1.0):
    return x.float() * torch.sigmoid(beta * x.float())


@mistake(blank="derivative")
def gate_is_a_constant(wide, beta):
    dy = torch.sigmoid(beta * wide)


@mistake(blank="derivative")
def derivative_of_the_gate(wide, beta):
    gate = torch.sigmoid(beta * wide)
    dy = beta * gate * (1 - gate)


@mistake(blank="derivative")
def forgets_the_inner_factor(wide, beta):
    gate = torch.sigmoid(beta * wide)
    dy = gate + wide * gate * (1 - gate)


@mistake(blank="derivative")
def one_minus_gate_missing(wide, beta):
    gate = torch.sigmoid(beta * wide)
    dy = gate + beta * wide * gate


@mistake(blank="derivative")
def ignores_beta_in_the_gate(wide, beta):
    gate = torch.sigmoid(wide)
    dy = gate + beta * wide * gate * (1 - gate)
