import pytest
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.feedforward import DTYPES, SHAPES, FeedForward
from clozekit.grading.layers import linear

LAYER = FeedForward("GEGLU", lambda d_model, d_ff: {"gate_up_proj": (d_model, 2 * d_ff), "down_proj": (d_ff, d_model)})


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    LAYER.values(check, case)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    LAYER.half_precision(check, case)


def test_a_non_contiguous_input(check):
    LAYER.non_contiguous(check)


def test_gradients(check):
    LAYER.gradients(check)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    LAYER.drawn_anew(check)


@reference("GEGLU")
def definition(parameters, x, *, d_model, d_ff):
    both = linear(parameters, "gate_up_proj", x)
    return linear(parameters, "down_proj", F.gelu(both[..., :d_ff]) * both[..., d_ff:])


@mistake(blank="projections")
def other_parameters(self, d_model, d_ff):
    self.gate_up_proj = nn.Linear(d_model, 2 * d_ff)
    self.down_proj = nn.Linear(d_ff, d_model)


@mistake(blank="split")
def gate_in_the_second_half(self, x):
    up, gate = self.gate_up_proj(x).chunk(2, dim=-1)


@mistake(blank="split")
def every_other_feature(self, x):
    both = self.gate_up_proj(x)
    gate, up = both[..., ::2], both[..., 1::2]


@mistake(blank="split")
def splits_the_first_axis(self, x):
    gate, up = self.gate_up_proj(x).chunk(2)


@mistake(blank="hidden")
def gelu_by_tanh(gate, up):
    hidden = F.gelu(gate, approximate="tanh") * up


@mistake(blank="hidden")
def gelu_by_sigmoid(gate, up):
    hidden = gate * F.sigmoid(1.702 * gate) * up


@mistake(blank="hidden")
def sigmoid_gate(gate, up):
    hidden = F.sigmoid(gate) * up


@mistake(blank="hidden")
def swish_gate(gate, up):
    hidden = F.silu(gate) * up


@mistake(blank="hidden")
def relu_gate(gate, up):
    hidden = F.relu(gate) * up


@mistake(blank="hidden")
def cumulative_gate(gate, up):
    hidden = (1 + (gate / 2**0.5).erf()) / 2 * up


@mistake(blank="hidden")
def bends_both_halves(gate, up):
    hidden = F.gelu(gate) * F.gelu(up)


@mistake(blank="hidden")
def gelu_after_the_product(gate, up):
    hidden = F.gelu(gate * up)


@mistake(blank="hidden")
def forgets_gelu(gate, up):
    hidden = gate * up


@mistake(blank="hidden")
def forgets_the_value(gate):
    hidden = F.gelu(gate)


@mistake(blank="hidden")
def adds_the_halves(gate, up):
    hidden = F.gelu(gate) + up


@mistake("GEGLU.forward")
def projects_the_sum(self, x):
    gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
    return self.down_proj(F.gelu(gate)) * self.down_proj(up)


@mistake(blank="result")
def adds_the_residual(self, x, hidden):
    return x + self.down_proj(hidden)


@mistake("GEGLU.forward")
def wants_three_axes(self, x):
    b, t, d_model = x.shape
    gate, up = self.gate_up_proj(x.reshape(b * t, d_model)).chunk(2, dim=1)
    return self.down_proj(F.gelu(gate) * up).reshape(b, t, d_model)


@mistake(blank="hidden")
def gate_in_float32(gate, up):
    hidden = F.gelu(gate.float()) * up
