import math
import random

import pytest
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.feedforward import DTYPES, SHAPES, TEXTS, FeedForward, gated, gated_sizes

LAYER = FeedForward("SwiGLU", gated_sizes)

WIDTHS = {
    "Llama": (4096, 256),
    "any multiple": (100, 7),
    "a multiple already": (96, 64),
    "just above a multiple": (97, 64),
    "rounded down first": (4, 5),  # 10.67 is 10, a multiple of 5
    "one feature": (1, 1),
    "multiple larger than the width": (10, 64),
}


@pytest.mark.parametrize("case", WIDTHS)
def test_width(check, case):
    check("matched_width", *WIDTHS[case])


def test_width_without_a_multiple(check):
    check("matched_width", 50)


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    LAYER.values(check, case)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    LAYER.half_precision(check, case)


def test_values_in_the_hundreds(check):
    LAYER.large_values(check)


def test_a_non_contiguous_input(check):
    LAYER.non_contiguous(check)


def test_gradients(check):
    LAYER.gradients(check)


@pytest.mark.parametrize("text", TEXTS)
def test_cost(check, text):
    LAYER.cost(check, text)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    LAYER.drawn_anew(check)
    for _ in range(8):
        check("matched_width", random.randint(1, 20_000), random.choice([random.randint(1, 40), 64, 128, 256, 1024]))


@reference("SwiGLU")
def definition(parameters, x, *, d_model, d_ff):
    return gated(parameters, x, F.silu)


@reference("matched_width")
def smallest(d_model, multiple_of=1):
    """By trying, not by a formula: the first multiple that is not below."""
    width = math.floor(4 * d_model * 2 / 3)
    while width % multiple_of:
        width += 1
    return width


@mistake(blank="width")
def keeps_four_times(d_model, multiple_of):
    width = 4 * d_model
    return (width + multiple_of - 1) // multiple_of * multiple_of


@mistake(blank="width")
def two_thirds_of_d_model(d_model, multiple_of):
    width = 2 * d_model // 3
    return (width + multiple_of - 1) // multiple_of * multiple_of


@mistake(blank="width")
def half_of_it(d_model, multiple_of):
    width = 2 * d_model
    return (width + multiple_of - 1) // multiple_of * multiple_of


@mistake(blank="width")
def ignores_multiple(d_model):
    return 8 * d_model // 3


@mistake(blank="width")
def rounds_down(d_model, multiple_of):
    return 8 * d_model // 3 // multiple_of * multiple_of


@mistake(blank="width")
def rounds_to_the_nearest(d_model, multiple_of):
    return round(8 * d_model // 3 / multiple_of) * multiple_of


@mistake(blank="width")
def always_one_more(d_model, multiple_of):
    return (8 * d_model // 3 // multiple_of + 1) * multiple_of


@mistake(blank="width")
def rounds_up_first(d_model, multiple_of):
    width = -(-8 * d_model // 3)
    return (width + multiple_of - 1) // multiple_of * multiple_of


@mistake(blank="projections")
def has_bias(self, d_model, d_ff):
    self.gate_proj = nn.Linear(d_model, d_ff)
    self.up_proj = nn.Linear(d_model, d_ff)
    self.down_proj = nn.Linear(d_ff, d_model)


@mistake(blank="hidden")
def gate_on_the_other_branch(self, x):
    hidden = self.gate_proj(x) * F.silu(self.up_proj(x))


@mistake(blank="hidden")
def bends_both_branches(self, x):
    hidden = F.silu(self.gate_proj(x)) * F.silu(self.up_proj(x))


@mistake(blank="hidden")
def sigmoid_gate(self, x):
    hidden = F.sigmoid(self.gate_proj(x)) * self.up_proj(x)


@mistake(blank="hidden")
def gelu_gate(self, x):
    hidden = F.gelu(self.gate_proj(x)) * self.up_proj(x)


@mistake(blank="hidden")
def relu_gate(self, x):
    hidden = F.relu(self.gate_proj(x)) * self.up_proj(x)


@mistake(blank="hidden")
def forgets_silu(self, x):
    hidden = self.gate_proj(x) * self.up_proj(x)


@mistake(blank="hidden")
def forgets_the_value(self, x):
    hidden = F.silu(self.gate_proj(x))


@mistake(blank="hidden")
def one_projection_for_both(self, x):
    gate = self.gate_proj(x)
    hidden = F.silu(gate) * gate


@mistake(blank="hidden")
def adds_the_gate(self, x):
    hidden = F.silu(self.gate_proj(x)) + self.up_proj(x)


@mistake(blank="hidden")
def silu_after_the_product(self, x):
    hidden = F.silu(self.gate_proj(x) * self.up_proj(x))


@mistake(blank="result")
def adds_the_residual(self, x, hidden):
    return x + self.down_proj(hidden)


@mistake(blank="hidden")
def projects_twice(self, x):
    hidden = self.gate_proj(x) * F.sigmoid(self.gate_proj(x)) * self.up_proj(x)


@mistake(blank="hidden")
def overflows(self, x):
    gate = self.gate_proj(x)
    hidden = gate * gate.exp() / (1 + gate.exp()) * self.up_proj(x)


@mistake(blank="hidden")
def nan_gradient(self, x):
    gate = self.gate_proj(x)
    hidden = gate / (1 + (-gate).exp()) * self.up_proj(x)


@mistake(blank="hidden")
def gate_in_float32(self, x):
    hidden = F.silu(self.gate_proj(x).float()) * self.up_proj(x)
