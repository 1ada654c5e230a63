"""Wavelengths beside the frequencies of transformers' Llama; what is unseen beside the angles of all positions."""

import math

import pytest
import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding


@pytest.mark.parametrize(("d", "base"), [(16, 10000.0), (10, 500_000.0), (2, 100.0)])
def test_llama(kit, d, base):
    solution, grader = kit("positions/rope_wavelengths")
    config = LlamaConfig(
        hidden_size=d, num_attention_heads=1, rope_parameters={"rope_type": "default", "rope_theta": base}
    )
    theirs = 2 * math.pi / LlamaRotaryEmbedding(config).inv_freq
    torch.testing.assert_close(torch.tensor(solution.rope_wavelengths(d, base)), theirs)
    torch.testing.assert_close(torch.tensor(grader.by_angles(d, base)), theirs)


@pytest.mark.parametrize(("train", "test"), [(300, 900), (40, 50), (7, 1000), (300, 300), (300, 20)])
def test_a_pair_is_unseen_where_it_passes_beyond_its_angles(kit, train, test):
    """A pair that has come to 2π has been everywhere; else every further position is beyond the last angle seen."""
    solution, grader = kit("positions/rope_wavelengths")
    theta = 500.0 ** -(torch.arange(0, 24, 2) / 24)
    reached, shown = ((n * theta).clamp(max=2 * math.pi) for n in (test, train))
    unseen = (reached > shown).nonzero().flatten().tolist()
    assert solution.unseen_dims(24, 500.0, train, test) == unseen
    assert grader.not_yet_around(24, 500.0, train, test) == unseen
