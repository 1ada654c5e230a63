"""How far a reference is uncertain: what is shaken and what is not, and what a spread depends on."""

import math
import os
import subprocess
import sys
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from tasks.attention import attention, softmax
from tasks.normalization import layer_norm, layer_norm_formula, rms_norm
from tasks.task import bfloat16, draw, float32, half
from torch import Tensor

from clozekit.grading.shaking import Shaken, at_least
from clozekit.grading.tolerance import expect, expect_gradients

# What is shaken and what is not. Integers arrive exact, so that all spread is that of the operation.

COUNT = torch.arange(1, 13).reshape(3, 4)
ROWS = torch.tensor([2, 0])
MOVES = {
    "conversion": lambda n: n.double(),
    "view and transpose": lambda n: n.double().view(4, 3).mT.contiguous(),
    "split and concatenate": lambda n: torch.cat(n.double().split(1)[::-1]),
    "unbind and stack": lambda n: torch.stack(n.double().unbind(1)),
    "index": lambda n: n.double()[ROWS],
    "gather": lambda n: n.double().gather(0, n % 3),
    "embedding": lambda n: F.embedding(ROWS, n.double()),
    "scatter": lambda n: torch.zeros(3, 4).scatter(0, n % 3, n.double()),
    "where": lambda n: torch.where(n > 3, n.double(), -1.0),
    "masked fill": lambda n: n.double().masked_fill(n > 3, -math.inf),
    "triangle": lambda n: n.double().tril(),
    "pad": lambda n: F.pad(n.double(), (1, 1), value=7.0),
    "roll": lambda n: n.double().roll(1, -1),
    "sort": lambda n: n.double().sort(descending=True)[0],
    "topk": lambda n: n.double().topk(2).values,
    "maximum": lambda n: n.double().amax(-1),
    "clamp": lambda n: n.double().clamp(2, 5),
    "relu": lambda n: F.relu(n.double().neg()),
    "sign": lambda n: n.double().neg().abs().sign(),
    "whole numbers": lambda n: (n.double() + 0.3).round(),
    "whole quotients": lambda n: torch.div(n.double(), 4, rounding_mode="floor"),
    "written to a slice": lambda n: written(torch.zeros(3, 4), n),
    "written to rows": lambda n: torch.zeros(3, 4).index_put((ROWS,), n[:2].double()),
    "drawn": lambda n: torch.rand(3),
}


def written(zeros: Tensor, n: Tensor) -> Tensor:
    zeros[:, ::2] = n[:, ::2].double()
    return zeros.masked_fill_(n == 1, 5.0)


@pytest.mark.parametrize("name", MOVES)
def test_moving_and_selecting_is_exact(name):
    """Without this: a copied or chosen number may be off."""
    assert expect(MOVES[name], [COUNT]).spread.max() == 0


ROUNDS = {
    "quotient": lambda n: n.double() / 3,
    "in place": lambda n: n.double().div_(3),
    "in place on a slice": lambda n: divided(n.double()),
    "out": lambda n: torch.mul(n.double(), 1.1, out=torch.empty(n.shape)),
    "accumulated": lambda n: torch.zeros(3, 4).index_put((ROWS,), n[:2].double(), accumulate=True),
    "added to rows": lambda n: torch.zeros(3, 4).index_add_(0, ROWS, n[:2].double()),
    "complex": lambda n: torch.polar(n.double(), n.double()),
    "optimizer step": lambda n: adam(n.double()),
    "vmap": lambda n: torch.vmap(torch.sqrt)(n.double()),
}


def divided(x: Tensor) -> Tensor:
    x[:, 1:] *= 3
    return x


def adam(x: Tensor) -> Tensor:
    x.grad = x.cos()
    torch.optim.Adam([x], lr=0.1).step()
    return x


@pytest.mark.parametrize("name", ROUNDS)
def test_every_other_result_is_off_by_a_rounding_of_the_compute_dtype(name):
    """Without this: an in-place operation counts as exact, and an honest answer as infinitely wrong."""
    expected = expect(ROUNDS[name], [COUNT], compute=bfloat16)
    relative = expected.spread.max() / expected.value.abs().max()
    assert 2**-8 / 2 < relative < 2**-8 * 2


def test_steps_that_are_asked_for_in_float32_are_off_by_its_roundings():
    def tenth(x):
        return x * 0.1

    def careful(x):
        with at_least(float32):
            return tenth(x)

    def uncertain(reference, compute):
        return (expect(reference, [COUNT], compute=compute).spread / COUNT).max().item()

    assert uncertain(careful, bfloat16) == pytest.approx(uncertain(tenth, float32), rel=0.1)
    assert uncertain(careful, torch.float64) == uncertain(tenth, torch.float64), "no more uncertain than it was"
    assert uncertain(lambda x: careful(x) * 1.5, bfloat16) > 1000 * uncertain(careful, bfloat16), "and no step after it"


# Library functions are as uncertain as their formulas.

X = draw(2, 6, 8) + 3
MULTI_HEAD = torch.nn.MultiheadAttention(8, 2, batch_first=True).double().eval().requires_grad_(False)
for i, weight in enumerate(MULTI_HEAD.parameters()):
    weight.copy_(draw(*weight.shape, seed=i) / 3)


def multi_head(x: Tensor, inner: Tensor, inner_bias: Tensor, outer: Tensor, outer_bias: Tensor) -> Tensor:
    q, k, v = (x @ inner.mT + inner_bias).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    return F.linear(((q / 2 @ k.mT).softmax(-1) @ v).transpose(1, 2).flatten(2), outer, outer_bias)


FORMULAS = {
    "rms_norm": (lambda x: F.rms_norm(x, (8,), eps=1e-6), lambda x: rms_norm(x, torch.ones(8), 1e-6)),
    "layer_norm": (lambda x: F.layer_norm(x, (8,)), lambda x: layer_norm_formula(x, torch.ones(8), torch.zeros(8))),
    "group_norm": (
        lambda x: F.group_norm(x, 2),
        lambda x: layer_norm_formula(x.view(2, 2, 24), torch.ones(24), torch.zeros(24)).view(x.shape),
    ),
    "batch_norm": (
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: (
            (x - x.mean((0, 2), keepdim=True))
            * ((x - x.mean((0, 2), keepdim=True)).square().mean((0, 2), keepdim=True) + 1e-5).rsqrt()
        ),
    ),
    "var": (lambda x: x.var(-1), lambda x: (x - x.mean(-1, keepdim=True)).square().sum(-1) / 7),
    "std": (lambda x: x.std(-1), lambda x: ((x - x.mean(-1, keepdim=True)).square().sum(-1) / 7).sqrt()),
    "var_mean": (lambda x: torch.var_mean(x, -1)[0], lambda x: (x - x.mean(-1, keepdim=True)).square().sum(-1) / 7),
    "softmax": (lambda x: F.softmax(x, -1), lambda x: (x - x.logsumexp(-1, keepdim=True)).exp()),
    "log_softmax": (lambda x: F.log_softmax(x, -1), lambda x: x - x.exp().sum(-1, keepdim=True).log()),
    "logsumexp": (lambda x: x.logsumexp(-1), lambda x: x.exp().sum(-1).log()),
    "cross_entropy": (
        lambda x: F.cross_entropy(x[0], torch.arange(6)),
        lambda x: (x[0].exp().sum(-1).log() - x[0].diagonal()).mean(),
    ),
    "attention": (
        lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True)[0],
        lambda x: attention(x, x, x),
    ),
    "multi-head attention": (lambda x: MULTI_HEAD(x, x, x)[0], lambda x: multi_head(x, *MULTI_HEAD.parameters())),
    "gelu": (lambda x: F.gelu(-x), lambda x: -x * 0.5 * (1 + torch.erf(-x / math.sqrt(2)))),
    "gelu by tanh": (
        lambda x: F.gelu(-x, approximate="tanh"),
        lambda x: -x * 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (-x - 0.044715 * x**3))),
    ),
    "silu": (F.silu, lambda x: x * torch.sigmoid(x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_library_function_has_the_spread_of_its_formula(name):
    """Without this: a fused kernel counts as one rounding, and whoever writes the formula is refused."""
    exact = torch.randint(95, 105, X.shape, generator=torch.Generator().manual_seed(0))
    library, formula = (expect(lambda n, f=f: f(n.double()), [exact]) for f in FORMULAS[name])
    torch.testing.assert_close(library.value, formula.value)
    assert 1 / 2 < library.spread.max() / formula.spread.max() < 2


@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_of_a_library_function_has_the_spread_of_its_formula(name):
    cotangents = [torch.ones_like(FORMULAS[name][0](X.double()))]
    library, formula = (
        expect_gradients(lambda x, f=f: f(x), [X], cotangents=cotangents)[1]["x"] for f in FORMULAS[name]
    )
    torch.testing.assert_close(library.value, formula.value)
    assert 1 / 3 < library.spread.max() / formula.spread.max() < 3


def test_a_composite_that_comes_as_one_operation_is_taken_apart():
    """Composite functions do in inference mode."""
    x = torch.arange(1.0, 9).double()
    with torch.inference_mode(), Shaken(float32, seed=0):
        shaken = F.rms_norm(x, (8,))
    assert (shaken / F.rms_norm(x, (8,)) - 1).abs().max() > 1.5 * 2**-24


# A pure question: nothing changes, and the answer is always the same.


def test_the_spread_is_the_same_whatever_the_seed_of_torch():
    spreads = []
    for seed in range(2):
        torch.manual_seed(seed)
        spreads.append(expect(softmax, [X]).spread)
    assert torch.equal(*spreads)


def test_torchs_generator_and_default_dtype_are_left_alone_even_by_a_reference_that_fails():
    def reference(x):
        torch.rand(3)
        raise KeyError("reference")

    before = torch.get_rng_state()
    with pytest.raises(KeyError):
        expect(reference, [X])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == float32


def test_each_evaluation_draws_the_same_numbers_from_a_generator_that_is_left_alone():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    expected = expect(lambda g: torch.randint(1000, (5,), generator=g), [generator])
    assert expected.unstable == ()
    assert torch.equal(generator.get_state(), before)


def test_a_reference_may_write_to_its_arguments():
    cache = {"k": torch.zeros(2, 3), "length": torch.tensor(0)}

    def reference(cache, x):
        cache["k"][0] = x
        cache["length"] += 1
        return cache

    expected = expect(reference, [cache, torch.ones(3)])
    assert expected.value["length"] == 1
    assert cache["length"] == 0
    assert cache["k"].sum() == 0


def test_constants_of_the_reference_are_float64_and_python_floats_stay():
    seen = []
    expect(lambda x, eps: seen.append((torch.arange(3) / 3).dtype) or x * eps, [X, 1e-6], samples=1)
    assert seen == [torch.float64, torch.float64]
    assert expect(lambda eps: eps, [0.1]).value == 0.1


def test_a_reference_that_computes_in_float32_is_refused_by_name():
    """Without this: its own roundings pass for the exact answer."""
    with pytest.raises(TypeError, match=r"aten.mean.* in torch.float32"):
        expect(lambda x: (x > 0).float().mean(), [X])


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_gradients_are_found_in_every_mode(mode):
    with mode():
        inside = expect_gradients(layer_norm, [X, torch.ones(8), torch.zeros(8)], cotangents=[torch.ones_like(X)])
    assert inside[1]["x"].spread.max() > 0


def test_the_first_question_does_not_import_the_compiler():
    """Without this: each grader waits a second for torch._dynamo."""
    code = """
import sys, torch
from clozekit.grading.tolerance import expect
expect(torch.nn.functional.gelu, [torch.ones(2)])
assert "torch._dynamo" not in sys.modules and "sympy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


# Discrete answers

UNSTABLE = {
    "the greatest of equals": (lambda x: (x, x.argmax()), [torch.ones(4)], ("[1]",)),
    "the greatest": (lambda x: (x, x.argmax()), [torch.arange(4.0)], ()),
    "a threshold met exactly": (
        lambda x: {"kept": (x.cumsum(-1) < 0.75).tolist()},
        [torch.full((4,), 0.25)],
        ("['kept'][2]",),
    ),
    "a list as long as its luck": (lambda x: x[x < 1].tolist(), [torch.ones(4)], ("",)),
    "a tensor as long as its luck": (lambda x: Named(x[x < 1], 1), [torch.ones(4)], (".values",)),
    "finite or not": (lambda x: (x - 1).log(), [torch.ones(4)], ("",)),
    "a number, finite or not": (lambda x: (x - 1).log().sum().item(), [torch.full((4,), 1.0)], ("",)),
    "always infinite": (lambda x: x / 0, [torch.ones(4)], ()),
    "a word": (lambda x: "more" if x.sum() > 3 else "less", [torch.ones(3)], ("",)),
}


class Named(NamedTuple):
    values: Any
    count: int


@pytest.mark.parametrize("name", UNSTABLE)
def test_what_one_rounding_decides_is_reported(name):
    reference, args, paths = UNSTABLE[name]
    assert expect(reference, args, samples=16).unstable == paths


def test_a_tree_has_spreads_where_it_floats():
    def reference(x):
        return Named([x / 3, x.argmax(), "text"], {"loss": x.sum().item(), 2: None})

    expected = expect(reference, [torch.arange(3.0)])
    assert expected.spread.values[0].shape == (3,)
    assert expected.spread.values[1:] == [None, None]
    assert expected.spread.count["loss"].shape == ()
    assert expected.spread.count[2] is None


# Gradients


def test_gradients_are_addressed_by_name_and_path():
    def reference(parameters, x, *rest, scale):
        return x @ parameters["q_proj.weight"] * rest[0] * scale

    parameters = {"q_proj.weight": draw(8, 8), "unused": draw(3), "steps": torch.tensor(3)}
    scale = torch.tensor(2.0, dtype=half)
    answer, gradients = expect_gradients(
        reference, [parameters, draw(4, 8), draw(8)], {"scale": scale}, cotangents=[draw(4, 8, seed=5)]
    )
    assert list(gradients) == ["parameters['q_proj.weight']", "parameters['unused']", "x", "rest[0]", "scale"]
    assert gradients["parameters['unused']"].value.tolist() == [0, 0, 0]
    assert gradients["scale"].dtype == half
    assert gradients["scale"].spread.shape == ()
    assert answer.dtype == float32


def test_gradients_are_those_of_all_outputs_weighted():
    def reference(x):
        return {"square": x * x, "index": x.argmax(), "twice": (x + x, torch.ones(3))}

    cotangents = [torch.tensor([1.0, 10.0, 100.0]), torch.ones(3), torch.ones(3)]
    _, gradients = expect_gradients(reference, [torch.tensor([1.0, 2.0, 3.0])], cotangents=cotangents)
    assert gradients["x"].value.tolist() == [4, 42, 602]


def test_a_reference_may_take_gradients_itself():
    def reference(x):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(x.pow(3).sum(), x)
        return gradient

    assert expect(reference, [torch.tensor([2.0])]).value.tolist() == [12]


def test_cotangents_must_fit_the_answer():
    with pytest.raises(ValueError, match=r"expected shapes \[\(2, 6, 8\)\], given \[\(3,\)\]"):
        expect_gradients(softmax, [X], cotangents=[torch.ones(3)])


# Dtypes


def test_the_answer_has_the_dtype_of_the_first_floating_argument_unless_told():
    args = [torch.arange(3), {"x": X.half()}, X]
    reference = lambda n, d, x: d["x"]  # noqa: E731
    expected = expect(reference, args)
    assert (expected.compute, expected.dtype) == (half, half)
    expected = expect(reference, args, compute=float32, dtype=None, dtypes={"[1]": float32})
    assert (expected.compute, expected.dtype_at("[0]"), expected.dtype_at("[1]")) == (float32, None, float32)
    assert expect(lambda n: n, [3]).dtype == float32
