import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# shape, scale. Between -3 and 3 the two forms differ most; beyond 5 both are 0 or x.
CASES = {
    "plain rows": ((3, 8), 1.5),
    "one number": ((), 1),
    "four axes": ((2, 3, 1, 5), 1.5),
    "close to zero": ((3, 8), 1e-3),
    "both tails": ((2, 16), 4),
    "hundreds": ((2, 9), 300),
}

HALVES = {
    "float16": (torch.float16, "none"),
    "bfloat16": (torch.bfloat16, "none"),
    "float16 by tanh": (torch.float16, "tanh"),
    "bfloat16 by tanh": (torch.bfloat16, "tanh"),
}


def draw(shape, scale=1.5, dtype=torch.float32):
    """Of both signs, and not so close to 0 that all forms are x/2."""
    x = torch.rand(shape) * 1.5 + 0.5
    return (scale * x * torch.randn(shape).sign()).to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_exact(check, case):
    check("gelu", draw(*CASES[case]), "none")


@pytest.mark.parametrize("case", CASES)
def test_tanh(check, case):
    check("gelu", draw(*CASES[case]), "tanh")


@pytest.mark.parametrize("case", HALVES)
def test_half_precision(check, case):
    """From the left tail, where 1 + erf has no digits in half precision, to where x³ is beyond float16."""
    dtype, approximate = HALVES[case]
    check("gelu", torch.linspace(-4, 2, 64)[torch.randperm(64)].to(dtype), approximate)
    check("gelu", draw((3, 8), 50, dtype), approximate)


def test_exact_by_default(check):
    check("gelu", draw((3, 8)))


def test_a_non_contiguous_input(check):
    check("gelu", draw((8, 5)).T, "none")
    check("gelu", draw((8, 5)).T, "tanh")


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gradients(check, approximate):
    check("gelu", draw((3, 8)), approximate, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    for approximate in random.sample(["none", "tanh", "none", "tanh"], 4):
        shape = *random.choices([2, 3], k=random.randint(0, 3)), random.randint(33, 80)
        check("gelu", draw(shape, random.uniform(0.5, 2)), approximate, gradients=True)
        dtype = random.choice([torch.float16, torch.bfloat16])
        check("gelu", draw((random.randint(257, 300), 3), dtype=dtype), approximate)


@reference("gelu", compute=torch.float32)
def definition(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


@mistake(blank="exact")
def forgets_root_two(wide):
    share = (1 + torch.erf(wide)) / 2


@mistake(blank="exact")
def multiplies_by_root_two(wide):
    share = (1 + torch.erf(wide * math.sqrt(2))) / 2


@mistake(blank="exact")
def divides_by_two_inside(wide):
    share = (1 + torch.erf(wide / 2)) / 2


@mistake(blank="exact")
def forgets_to_halve(wide):
    share = 1 + torch.erf(wide / math.sqrt(2))


@mistake(blank="exact")
def forgets_the_one(wide):
    share = torch.erf(wide / math.sqrt(2)) / 2


@mistake(blank="exact")
def weighs_by_density(wide):
    share = torch.exp(-wide.pow(2) / 2) / math.sqrt(2 * math.pi)


@mistake(blank="exact")
def sigmoid_form(wide):
    share = torch.sigmoid(1.702 * wide)


@mistake(blank="exact")
def tanh_whatever_is_asked(wide):
    share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide.pow(3)))) / 2


@mistake(blank="tanh")
def erf_whatever_is_asked(wide):
    share = (1 + torch.erf(wide / math.sqrt(2))) / 2


@mistake(blank="tanh")
def square_for_cube(wide):
    share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide.pow(2)))) / 2


@mistake(blank="tanh")
def constant_ten_times(wide):
    share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.44715 * wide.pow(3)))) / 2


@mistake(blank="tanh")
def root_of_two_only(wide):
    share = (1 + torch.tanh(math.sqrt(2) / math.pi * (wide + 0.044715 * wide.pow(3)))) / 2


@mistake(blank="tanh")
def cube_outside_the_bracket(wide):
    share = (1 + torch.tanh(math.sqrt(2 / math.pi) * wide + 0.044715 * wide.pow(3))) / 2


@mistake(blank="tanh")
def sigmoid_for_tanh(wide):
    share = (1 + torch.sigmoid(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide.pow(3)))) / 2


@mistake(blank="tanh")
def quick_gelu(wide):
    share = torch.sigmoid(1.702 * wide)


@mistake(blank="weigh")
def forgets_x(x, share):
    return share.to(x.dtype)


@mistake(blank="weigh")
def no_negative_part(x, wide, share):
    return (wide * share).clamp(min=0).to(x.dtype)


@mistake("gelu", rounding=True)
def computes_in_half(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


@mistake(blank="weigh")
def returns_float32(wide, share):
    return wide * share
