"""The feed-forward solutions against torch and transformers, with the same weights."""

import types

import pytest
import torch
import torch.nn.functional as F

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
