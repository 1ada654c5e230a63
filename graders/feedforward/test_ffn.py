import pytest
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.feedforward import DTYPES, SHAPES, TEXTS, FeedForward
from clozekit.grading.layers import linear

LAYER = FeedForward(
    "FFN",
    lambda d_model, d_ff: {"fc1": (d_model, d_ff), "fc2": (d_ff, d_model)},
    bias=True,
    options={"bias": [True, False], "activation": ["relu", "gelu"]},
)


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    LAYER.values(check, case)


def test_gelu(check):
    LAYER.values(check, "batch and time", activation="gelu")


def test_without_bias(check):
    LAYER.values(check, "batch and time", bias=False)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    LAYER.half_precision(check, case)


def test_a_non_contiguous_input(check):
    LAYER.non_contiguous(check)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_gradients(check, activation):
    LAYER.gradients(check, activation=activation)


def test_large_values(check):
    LAYER.large_values(check, activation="gelu")


@pytest.mark.parametrize("text", TEXTS)
def test_cost(check, text):
    LAYER.cost(check, text)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    LAYER.drawn_anew(check)


@reference("FFN")
def definition(parameters, x, *, d_model, d_ff, activation="relu", bias=True):
    hidden = linear(parameters, "fc1", x)
    hidden = hidden.clamp(min=0) if activation == "relu" else F.gelu(hidden)
    return linear(parameters, "fc2", hidden)


@mistake(blank="layers")
def ignores_bias(self, d_model, d_ff):
    self.fc1 = nn.Linear(d_model, d_ff)
    self.fc2 = nn.Linear(d_ff, d_model)


@mistake(blank="layers")
def forgets_bias_of_the_second(self, d_model, d_ff, bias):
    self.fc1 = nn.Linear(d_model, d_ff, bias=bias)
    self.fc2 = nn.Linear(d_ff, d_model, bias=False)


@mistake(blank="layers")
def ignores_d_ff(self, d_model, bias):
    self.fc1 = nn.Linear(d_model, 4 * d_model, bias=bias)
    self.fc2 = nn.Linear(4 * d_model, d_model, bias=bias)


@mistake(blank="expand")
def forgets_activation(self, x):
    hidden = self.fc1(x)


@mistake(blank="contract")
def activates_the_result(self, hidden):
    return self.activation(self.fc2(hidden))


@mistake("FFN.forward")
def activates_too_late(self, x):
    return self.activation(self.fc2(self.fc1(x)))


@mistake(blank="expand")
def activates_the_input(self, x):
    hidden = self.fc1(self.activation(x))


@mistake(blank="expand")
def always_relu(self, x):
    hidden = F.relu(self.fc1(x))


@mistake(blank="expand")
def always_gelu(self, x):
    hidden = F.gelu(self.fc1(x))


@mistake(blank="expand")
def gelu_by_tanh(self, x):
    hidden = self.fc1(x)
    hidden = F.gelu(hidden, approximate="tanh") if self.activation is F.gelu else F.relu(hidden)


@mistake(blank="contract")
def adds_the_residual(self, x, hidden):
    return x + self.fc2(hidden)


@mistake(blank="expand")
def normalises_first(self, x):
    hidden = self.activation(self.fc1(F.layer_norm(x, x.shape[-1:])))


@mistake(blank="expand")
def flattens_the_batch(self, x):
    hidden = self.activation(self.fc1(x.reshape(-1, x.shape[-1])))


@mistake("FFN.forward")
def wants_three_axes(self, x):
    b, t, d_model = x.shape
    hidden = self.activation(self.fc1(x.reshape(b * t, d_model)))
    return self.fc2(hidden).reshape(b, t, d_model)


@mistake("FFN.forward")
def views_input(self, x):
    hidden = self.activation(self.fc1(x.view(-1, x.shape[-1])))
    return self.fc2(hidden).view(x.shape)


@mistake(blank="expand")
def stays_float32(self, x):
    hidden = self.activation(self.fc1(x.float()))


@mistake("FFN.forward")
def whole_text_for_each_token(self, x):
    tokens = x.reshape(-1, x.shape[-1])
    y = tokens.clone()
    for i in range(len(tokens)):
        y[i] = self.fc2(self.activation(self.fc1(tokens)))[i]
    return y.reshape(x.shape)
