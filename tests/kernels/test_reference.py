"""The reference kernels: the solutions that learners are shown."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from clozekit import blanks

KERNELS = Path(__file__).parents[2] / "kernels"


@pytest.fixture
def reference():
    """reference("fused_softmax"): the module of that file."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, KERNELS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


# x, each told apart from the others by one thing that a kernel can get wrong
ROWS = {
    "ragged": lambda: torch.randn(3, 1000),
    "one column": lambda: torch.randn(5, 1),
    "power of two": lambda: torch.randn(2, 64),
    "large": lambda: torch.randn(2, 9) * 100 + 1000,
    "minus infinity among others": lambda: torch.randn(4, 7).masked_fill(torch.eye(4, 7).bool(), -torch.inf),
    "transposed": lambda: torch.randn(6, 3).T,
    "every other column": lambda: torch.randn(3, 20)[:, ::2],
    "half": lambda: torch.randn(3, 100).half() * 5,
    "bfloat16": lambda: torch.randn(3, 100).bfloat16(),
    "no rows": lambda: torch.randn(0, 4),
}


@pytest.mark.parametrize("case", ROWS)
def test_softmax_agrees_with_torch(reference, case):
    x = ROWS[case]()
    assert_close(reference("fused_softmax").softmax(x), x.double().softmax(-1).to(x.dtype))


# b, h, t, d, dtype
HEADS = {
    "whole blocks": (1, 2, 128, 64, torch.float32),
    "ragged time": (2, 3, 70, 32, torch.float32),
    "one key": (1, 1, 1, 16, torch.float32),
    "dimension no power of two": (1, 2, 33, 40, torch.float32),
    "wide": (1, 1, 65, 128, torch.float32),
    "half": (1, 2, 90, 64, torch.float16),
    "bfloat16": (1, 2, 90, 24, torch.bfloat16),
}


@pytest.mark.parametrize("causal", [False, True], ids=["full", "causal"])
@pytest.mark.parametrize("case", HEADS)
def test_flash_attention_agrees_with_torch(reference, case, causal):
    b, h, t, d, dtype = HEADS[case]
    q, k, v = torch.randn(3, b, t, h, d).to(dtype).transpose(2, 3)  # strided, as a model makes them
    k = 3 * k  # sharp enough for the running maximum to matter
    expected = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=causal)
    tolerance = {torch.float16: 3e-3, torch.bfloat16: 2e-2}.get(dtype, 1e-5)  # weights are rounded to dtype before v
    assert_close(
        reference("flash_attention").flash_attention(q, k, v, causal).double(), expected, rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("name", ["fused_softmax", "flash_attention"])
def test_the_starter_stops_at_its_first_blank(load, name):
    source = (KERNELS / f"{name}.py").read_text("utf-8")
    names = [blank.name for blank in blanks.find(source)]
    assert 2 <= len(names) <= 5
    module = load(blanks.guided(source, dict.fromkeys(names, "prompt"), "TODO: {prompt}"))
    x = torch.randn(1, 1, 16, 16)
    with pytest.raises(NotImplementedError, match="|".join(names)):
        module.softmax(x[0, 0]) if name == "fused_softmax" else module.flash_attention(x, x, x)
