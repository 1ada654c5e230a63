import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.feedforward import DTYPES, SHAPES, FeedForward, gated, gated_sizes

LAYER = FeedForward("GLUFFN", gated_sizes, options={"bias": [True, False]})


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    LAYER.values(check, case)


def test_with_bias(check):
    LAYER.values(check, "batch and time", bias=True)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    LAYER.half_precision(check, case)


def test_values_in_the_hundreds(check):
    LAYER.large_values(check)


def test_a_non_contiguous_input(check):
    LAYER.non_contiguous(check)


def test_gradients(check):
    LAYER.gradients(check)


def test_gradients_with_bias(check):
    LAYER.gradients(check, bias=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    LAYER.drawn_anew(check)


@reference("GLUFFN")
def definition(parameters, x, *, d_model, d_ff, bias=False):
    return gated(parameters, x, torch.sigmoid)


@mistake("GLUFFN.__init__")
def ignores_bias(self, d_model, d_ff, bias=False):
    super().__init__()
    self.gate_proj = nn.Linear(d_model, d_ff)
    self.up_proj = nn.Linear(d_model, d_ff)
    self.down_proj = nn.Linear(d_ff, d_model)


@mistake(blank="projections")
def never_a_bias(self, d_model, d_ff):
    self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
    self.up_proj = nn.Linear(d_model, d_ff, bias=False)
    self.down_proj = nn.Linear(d_ff, d_model, bias=False)


@mistake(blank="projections")
def two_thirds_of_d_ff(self, d_model, d_ff, bias):
    d_ff = 2 * d_ff // 3
    self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
    self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
    self.down_proj = nn.Linear(d_ff, d_model, bias=bias)


@mistake("GLUFFN.forward")
def gate_on_the_other_branch(self, x):
    return self.down_proj(self.gate_proj(x) * torch.sigmoid(self.up_proj(x)))


@mistake(blank="hidden")
def bends_both_branches(self, x, gate):
    hidden = gate * torch.sigmoid(self.up_proj(x))


@mistake(blank="gate")
def forgets_sigmoid(self, x):
    gate = self.gate_proj(x)


@mistake(blank="hidden")
def forgets_the_gate(self, x):
    hidden = self.up_proj(x)


@mistake(blank="hidden")
def forgets_the_value(gate):
    hidden = gate


@mistake(blank="hidden")
def one_projection_for_both(self, x, gate):
    hidden = gate * self.gate_proj(x)


@mistake(blank="hidden")
def adds_the_gate(self, x, gate):
    hidden = gate + self.up_proj(x)


@mistake("GLUFFN.forward")
def sigmoid_after_the_product(self, x):
    return self.down_proj(torch.sigmoid(self.gate_proj(x) * self.up_proj(x)))


@mistake(blank="gate")
def tanh_gate(self, x):
    gate = torch.tanh(self.gate_proj(x))


@mistake(blank="gate")
def swish_gate(self, x):
    gate = self.gate_proj(x)
    gate = gate * torch.sigmoid(gate)


@mistake(blank="gate")
def relu_gate(self, x):
    gate = torch.relu(self.gate_proj(x))


@mistake(blank="gate")
def softmax_gate(self, x):
    gate = torch.softmax(self.gate_proj(x), dim=-1)


@mistake(blank="hidden")
def opens_where_shut(self, x, gate):
    hidden = (1 - gate) * self.up_proj(x)


@mistake(blank="result")
def adds_the_residual(self, x, hidden):
    return x + self.down_proj(hidden)


@mistake("GLUFFN.forward")
def wants_three_axes(self, x):
    b, t, d_model = x.shape
    tokens = x.reshape(b * t, d_model)
    return self.down_proj(torch.sigmoid(self.gate_proj(tokens)) * self.up_proj(tokens)).reshape(b, t, d_model)


@mistake(blank="gate")
def overflows(self, x):
    z = self.gate_proj(x)
    gate = torch.exp(z) / (1 + torch.exp(z))


@mistake(blank="gate")
def nan_gradient(self, x):
    gate = 1 / (1 + torch.exp(-self.gate_proj(x)))


@mistake(blank="gate")
def gate_in_float32(self, x):
    gate = torch.sigmoid(self.gate_proj(x).float())
