"""models/weight_init beside torch.nn.init and transformers, and what it is for: a signal that stays as large at any depth."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from clozekit.grading.laws import alike

SHAPE = [300, 500]


@pytest.mark.parametrize(
    ("scheme", "fill"),
    {"xavier": nn.init.xavier_uniform_, "kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")}.items(),
)
def test_it_is_drawn_from_the_law_of_torch(kit, scheme, fill):
    solution, grader = kit("models/weight_init")
    drawn = solution.init_weights({"fc.weight": SHAPE}, 3, scheme)["fc.weight"]
    law = grader.laws({"fc.weight": SHAPE}, 3, scheme)["fc.weight"]
    assert alike(drawn, fill(torch.empty(SHAPE)), law)


def test_it_is_drawn_as_transformers_draws_a_gpt2(kit):
    """Whose Conv1D has its weights transposed; names and norms are spelt as here or nearly so."""
    solution, grader = kit("models/weight_init")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=700, n_positions=200, n_embd=96, n_head=4, n_layer=3))
    state = {
        name.replace("ln_1", "norm").replace("ln_2", "norm").replace("ln_f", "norm"): p
        for name, p in model.named_parameters()
    }
    shapes = {name: list(p.shape) for name, p in state.items()}
    drawn, laws = solution.init_weights(shapes, 3, "gpt2"), grader.laws(shapes, 3, "gpt2")
    for name, p in state.items():
        if p.ndim == 1:
            assert torch.equal(drawn[name], p.detach()), name
        else:
            assert alike(drawn[name], p.detach(), laws[name]), name


@pytest.mark.parametrize("depth", [16, 32, 64])
def test_a_deep_stack_of_relus_keeps_the_mean_square(kit, depth):
    solution, _ = kit("models/weight_init")
    x = torch.randn(64, 512)
    for _ in range(depth):
        x = (x @ solution.init_weights({"fc.weight": [512, 512]}, depth, "kaiming")["fc.weight"].T).relu()
    assert 0.1 < x.square().mean() < 4  # half of 1 lies below 0; without the 2 it would be 2^-depth


@pytest.mark.parametrize("depth", [6, 12, 24])
def test_a_residual_stream_grows_by_the_same_whatever_its_depth(kit, depth):
    solution, _ = kit("models/weight_init")
    added = torch.zeros(64, 400)
    for _ in range(2 * depth):
        w = solution.init_weights({"c_proj.weight": [400, 400]}, depth, "gpt2")["c_proj.weight"]
        added += torch.randn(64, 400) @ w.T
    assert added.square().mean() == pytest.approx(400 * 0.02**2, rel=0.1)
