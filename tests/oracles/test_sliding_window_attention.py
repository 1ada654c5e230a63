"""Sliding-window attention beside torch's own with a band for its mask, flex_attention, and transformers' Mistral."""

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from transformers import MistralConfig, MistralModel
from transformers.models.mistral.modeling_mistral import apply_rotary_pos_emb

ID = "attention/sliding_window_attention"


@pytest.mark.parametrize(("t", "window"), [(11, 4), (12, 4), (5, 1), (6, 6), (5, 9), (1, 3), (50, 7)])
def test_torch(kit, t, window):
    solution, grader = kit(ID)
    q, k, v = torch.randn(3, 2, 3, t, 8, dtype=torch.float64)
    band = torch.ones(t, t, dtype=torch.bool).tril().triu(1 - window)
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=band)
    torch.testing.assert_close(solution.sliding_window_attention(q, k, v, window), theirs)
    torch.testing.assert_close(grader.each_query_with_its_own_keys(q, k, v, window), theirs)


def test_flex_attention(kit):
    solution, _ = kit(ID)
    q, k, v = torch.randn(3, 2, 3, 40, 16)
    mask = create_block_mask(lambda b, h, i, j: (j <= i) & (i - j < 9), None, None, 40, 40, device="cpu")
    torch.testing.assert_close(
        solution.sliding_window_attention(q, k, v, 9), flex_attention(q, k, v, block_mask=mask), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("window", [1, 3, 8])
def test_the_window_of_mistral_counts_the_token_itself(kit, window):
    """The paper lets token i attend from i - W on; the model keeps W tokens."""
    solution, _ = kit(ID)
    config = MistralConfig(
        vocab_size=31,
        hidden_size=24,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=3,
        num_key_value_heads=3,
        sliding_window=window,
        attn_implementation="eager",
    )
    model, seen = MistralModel(config).eval(), {}
    attention = model.layers[0].self_attn
    attention.o_proj.register_forward_hook(lambda module, args, output: seen.update(heads=args[0]))
    for name in ("q_proj", "k_proj", "v_proj"):
        getattr(attention, name).register_forward_hook(
            lambda module, args, output, name=name: seen.update({name: output})
        )
    with torch.no_grad():
        model(torch.randint(31, (2, 11)))
    q, k, v = (seen[name].unflatten(-1, (3, 8)).transpose(1, 2) for name in ("q_proj", "k_proj", "v_proj"))
    q, k = apply_rotary_pos_emb(q, k, *model.rotary_emb(v, torch.arange(11)[None]))
    ours = solution.sliding_window_attention(q, k, v, window)
    torch.testing.assert_close(ours.transpose(1, 2).flatten(2), seen["heads"])
