import itertools
import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference
from clozekit.grading.laws import Normal, Uniform

# Enough elements in each matrix that normal and uniform ones of equal size differ beyond doubt. fan_out, fan_in.
MATRICES = {
    "square": (200, 200),
    "wide": (60, 700),
    "tall": (700, 60),
    "one output": (1, 40_000),
    "one input": (40_000, 1),
}

SCHEMES = "xavier", "kaiming", "gpt2"


def block(d, layer=0):
    """The shapes of one block of a GPT that is d wide."""
    shapes = {"attn_norm": [d], "attn.c_attn": [3 * d, d], "attn.c_proj": [d, d]}
    shapes |= {"mlp_norm": [d], "mlp.c_fc": [4 * d, d], "mlp.c_proj": [d, 4 * d]}
    weights = {f"h.{layer}.{name}.weight": shape for name, shape in shapes.items()}
    return weights | {f"h.{layer}.{name}.bias": shape[:1] for name, shape in shapes.items()}


@pytest.mark.parametrize("case", MATRICES)
def test_xavier(check, case):
    check("init_weights", {"fc.weight": list(MATRICES[case])}, 1, "xavier")


@pytest.mark.parametrize("case", MATRICES)
def test_kaiming(check, case):
    check("init_weights", {"fc.weight": list(MATRICES[case])}, 1, "kaiming")


@pytest.mark.parametrize("n_layers", [1, 24])
def test_gpt2(check, n_layers):
    check(
        "init_weights", {"wte.weight": [300, 64], "wpe.weight": [250, 64], **block(64, n_layers // 3)}, n_layers, "gpt2"
    )


@pytest.mark.parametrize("scheme", ["xavier", "kaiming"])
def test_a_block(check, scheme):
    """Only gpt2 makes something of names and depth."""
    check("init_weights", block(64), 24, scheme)


def test_names_by_their_ends(check):
    """As T5 has a table of relative_attention_bias: a weight like any other."""
    names = "relative_attention_bias", "norm_gate", "out_proj", "c_proj"
    check("init_weights", {f"h.0.{name}.weight": [200, 150] for name in names}, 8, "gpt2")


def test_biases_alone(check):
    for scheme in SCHEMES:
        check("init_weights", {"ln.bias": [3], "mlp.c_proj.bias": [1]}, 2, scheme)


def test_norms_alone(check):
    for scheme in SCHEMES:
        check("init_weights", {"final_norm.weight": [5], "h.0.mlp_norm.weight": [1]}, 2, scheme)


@pytest.mark.hidden
def test_drawn_anew(check):
    """At every call and for every name: no two weights are multiples of each other."""
    shapes = {f"h.0.{name}.weight": [200, 200] for name in ("c_fc", "gate", "c_proj")}
    for scheme in SCHEMES:
        answers = [check("init_weights", shapes, 8, scheme) for _ in range(2)]
        drawn = [x / x[0, 0] for each in answers for x in each.values() if isinstance(x, torch.Tensor)]  # else a law
        assert not any(torch.allclose(x, y) for x, y in itertools.combinations(drawn, 2)), f"{scheme}: W == W"


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    for scheme in SCHEMES:
        wide, depth = random.randint(70, 80), random.randint(2, 60)
        check(
            "init_weights",
            {**block(wide, random.randint(0, 9)), "wte.weight": [random.randint(500, 900), wide]},
            depth,
            scheme,
        )


@reference("init_weights")
def laws(shapes, n_layers, scheme):
    """What each parameter must be drawn from."""
    found = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            found[name] = torch.full(shape, 0.0 if name.endswith(".bias") else 1.0)
        elif scheme == "xavier":
            found[name] = Uniform(tuple(shape), math.sqrt(6 / sum(shape)))
        elif scheme == "kaiming":
            found[name] = Normal(tuple(shape), math.sqrt(2 / shape[1]))
        else:
            added = 2 * n_layers if name.endswith("c_proj.weight") else 1
            found[name] = Normal(tuple(shape), 0.02 / math.sqrt(added))
    return found


@mistake(blank="constants", rounding=True)
def draws_biases(name, shape):
    if name.endswith(".bias"):
        return torch.randn(shape) * 0.02
    if name.endswith("norm.weight"):
        return torch.ones(shape)


@mistake(blank="constants")
def norms_at_zero(name, shape):
    if len(shape) == 1:
        return torch.zeros(shape)


@mistake(blank="constants", rounding=True)
def draws_norms(name, shape):
    if name.endswith(".bias"):
        return torch.zeros(shape)
    if name.endswith("norm.weight"):
        return torch.randn(shape)


@mistake(blank="xavier")
def bound_from_inputs_alone(fan_in, shape):
    bound = math.sqrt(3 / fan_in)
    return torch.empty(shape).uniform_(-bound, bound)


@mistake(blank="xavier")
def size_for_bound(fan_in, fan_out, shape):
    bound = math.sqrt(2 / (fan_in + fan_out))
    return torch.empty(shape).uniform_(-bound, bound)


@mistake(blank="xavier")
def bound_for_size(fan_in, fan_out, shape):
    return torch.randn(shape) * math.sqrt(6 / (fan_in + fan_out))


@mistake(blank="xavier")
def normal_for_xavier(fan_in, fan_out, shape):
    return torch.randn(shape) * math.sqrt(2 / (fan_in + fan_out))


@mistake(blank="xavier")
def positive_weights(fan_in, fan_out, shape):
    return torch.rand(shape) * math.sqrt(6 / (fan_in + fan_out))


@mistake(blank="kaiming")
def divides_by_outputs(fan_out, shape):
    return torch.randn(shape) * math.sqrt(2 / fan_out)


@mistake(blank="kaiming")
def forgets_the_relu(fan_in, shape):
    return torch.randn(shape) * math.sqrt(1 / fan_in)


@mistake(blank="kaiming")
def variance_for_size(fan_in, shape):
    return torch.randn(shape) * 2 / fan_in


@mistake(blank="kaiming")
def uniform_for_kaiming(fan_in, shape):
    bound = math.sqrt(6 / fan_in)
    return torch.empty(shape).uniform_(-bound, bound)


@mistake(blank="kaiming")
def linear_as_torch_has_it(fan_in, shape):
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound)


@mistake(blank="gpt2")
def forgets_the_depth(shape):
    return torch.randn(shape) * 0.02


@mistake(blank="gpt2")
def truncates(name, shape, n_layers):
    std = 0.02 / math.sqrt(2 * n_layers) if name.endswith("c_proj.weight") else 0.02
    return torch.nn.init.trunc_normal_(torch.empty(shape), std=std, a=-2 * std, b=2 * std)


@mistake(blank="gpt2")
def depth_for_every_weight(n_layers, shape):
    return torch.randn(shape) * 0.02 / math.sqrt(2 * n_layers)


@mistake(blank="gpt2")
def one_addition_for_each_block(name, n_layers, shape):
    std = 0.02
    if name.endswith("c_proj.weight"):
        std /= math.sqrt(n_layers)
    return torch.randn(shape) * std


@mistake(blank="gpt2")
def divides_by_the_depth(name, n_layers, shape):
    std = 0.02
    if name.endswith("c_proj.weight"):
        std /= 2 * n_layers
    return torch.randn(shape) * std


@mistake(blank="gpt2")
def depth_of_this_block(name, shape):
    std = 0.02
    if name.endswith("c_proj.weight"):
        std /= math.sqrt(2 * (int(name.split(".")[1]) + 1))
    return torch.randn(shape) * std


@mistake(blank="gpt2")
def root_of_the_size(name, n_layers, shape):
    variance = 0.02
    if name.endswith("c_proj.weight"):
        variance /= 2 * n_layers
    return torch.randn(shape) * math.sqrt(variance)
