"""The feed-forward solutions against torch and transformers, with the same weights."""

import types

import pytest
import torch
import torch.nn.functional as F
import transformers
from transformers.models.llama import modeling_llama
from transformers.models.mixtral import modeling_mixtral
from transformers.models.phi3 import modeling_phi3

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise


@pytest.fixture
def solution():
    """solution("gelu"): the module of the kit's solution."""

    def load(name: str) -> types.ModuleType:
        module = types.ModuleType(name)
        exec(blanks.reveal(Exercise(builtin_root(), f"feedforward/{name}").solution), vars(module))
        return module

    torch.manual_seed(0)
    return load


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_gelu(solution, approximate, dtype):
    x = (3 * torch.randn(5, 64)).to(dtype)
    torch.testing.assert_close(solution("gelu").gelu(x, approximate), F.gelu(x, approximate=approximate))


@pytest.mark.parametrize("beta", [1.0, 0.3, -2.0])
def test_swish(solution, beta):
    x = (3 * torch.randn(5, 64)).requires_grad_()
    y = solution("swish").swish(x, beta)
    torch.testing.assert_close(y, F.silu(beta * x) / beta)
    (gradient,) = torch.autograd.grad(F.silu(beta * x).sum() / beta, x)
    torch.testing.assert_close(solution("swish").swish_grad(x.detach(), beta), gradient)


def copied(ours: torch.nn.Module, theirs: torch.nn.Module, names: dict[str, str]) -> None:
    """Give the library's layer our weights, each under its name there."""
    theirs.load_state_dict({names[name]: value for name, value in ours.state_dict().items()})


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_ffn(solution, activation):
    ours = solution("ffn").FFN(6, 10, activation)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(6, 10), torch.nn.ReLU() if activation == "relu" else torch.nn.GELU(), torch.nn.Linear(10, 6)
    )
    copied(ours, theirs, {f"fc{i}.{kind}": f"{2 * (i - 1)}.{kind}" for i in (1, 2) for kind in ("weight", "bias")})
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(ours(x), theirs(x))


def test_ffn_is_that_of_the_encoder_layer(solution):
    ours = solution("ffn").FFN(6, 10)
    layer = torch.nn.TransformerEncoderLayer(6, 1, 10, dropout=0.0)
    layer.linear1, layer.linear2 = ours.fc1, ours.fc2
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(ours(x), layer._ff_block(x))


@pytest.mark.parametrize("bias", [False, True])
def test_glu_has_the_gate_of_torch_in_its_second_half(solution, bias):
    ours = solution("glu").GLUFFN(6, 10, bias)
    x = torch.randn(2, 5, 6)
    both = torch.cat([ours.up_proj(x), ours.gate_proj(x)], dim=-1)
    torch.testing.assert_close(ours(x), ours.down_proj(F.glu(both)))


def test_geglu(solution):
    ours = solution("geglu").GEGLU(6, 10)
    config = transformers.Phi3Config(hidden_size=6, intermediate_size=10, hidden_act="gelu", pad_token_id=0)
    theirs = modeling_phi3.Phi3MLP(config)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(ours(x), theirs(x))


def test_swiglu(solution):
    ours = solution("swiglu").SwiGLU(6, 10)
    config = transformers.LlamaConfig(hidden_size=6, intermediate_size=10, num_attention_heads=1)
    theirs = modeling_llama.LlamaMLP(config)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(ours(x), theirs(x))


def test_matched_width_keeps_the_number_of_weights_and_is_that_of_published_models(solution):
    swiglu = solution("swiglu")
    for d_model in 64, 512, 4096:
        count = sum(p.numel() for p in swiglu.SwiGLU(d_model, swiglu.matched_width(d_model)).parameters())
        assert (
            0 <= 8 * d_model**2 - count < 3 * d_model
        )  # of two matrices d_model x 4 d_model: less than one column each
    assert [swiglu.matched_width(d, 256) for d in (4096, 5120, 6656, 8192)] == [11008, 13824, 17920, 22016]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_mixture_of_experts(solution, k):
    ours = solution("mixture_of_experts").MoE(6, 7, num_experts=5, k=k)
    config = transformers.MixtralConfig(
        hidden_size=6, intermediate_size=7, num_local_experts=5, num_experts_per_tok=k, num_attention_heads=1
    )
    theirs = modeling_mixtral.MixtralSparseMoeBlock(config)
    with torch.no_grad():
        theirs.gate.weight.copy_(ours.router.weight)
        for i, expert in enumerate(ours.experts):
            theirs.experts.gate_up_proj[i] = torch.cat([expert.gate_proj.weight, expert.up_proj.weight])
            theirs.experts.down_proj[i] = expert.down_proj.weight
    x = 4 * torch.randn(2, 9, 6)
    y, balance = ours(x)
    torch.testing.assert_close(y, theirs(x))
    logits = ours.router(x.flatten(0, 1))
    torch.testing.assert_close(balance, modeling_mixtral.load_balancing_loss_func((logits,), 5, k))
