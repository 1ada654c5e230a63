"""MLA beside transformers' DeepseekV3Attention with the same weights.

The exercise leaves out the normalisation of latents, so theirs is replaced by nothing. Theirs turns interleaved pairs and
puts the results in halves, ours keeps their places: the same dot products, and another order in the cache.
"""

import pytest
import torch
from torch import nn
from transformers import DynamicCache
from transformers.models.deepseek_v3.configuration_deepseek_v3 import DeepseekV3Config
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention, DeepseekV3RotaryEmbedding

D_MODEL, H, D_HEAD, D_C, D_ROPE = 20, 3, 8, 12, 6


@pytest.fixture
def theirs():
    config = DeepseekV3Config(
        hidden_size=D_MODEL,
        num_attention_heads=H,
        num_key_value_heads=H,
        q_lora_rank=None,
        kv_lora_rank=D_C,
        qk_nope_head_dim=D_HEAD,
        qk_rope_head_dim=D_ROPE,
        v_head_dim=D_HEAD,
        attn_implementation="eager",
    )
    attention = DeepseekV3Attention(config, 0).eval()
    attention.kv_a_layernorm = nn.Identity()
    return attention, DeepseekV3RotaryEmbedding(config)


def copied(ours, attention):
    """Their weights are ours, joined."""

    def by_head(*projections):
        parts = [each.weight.unflatten(0, (H, -1)) for each in projections]
        return torch.cat(parts, dim=1).flatten(0, 1)

    attention.q_proj.weight.data = by_head(ours.q_proj, ours.q_rope)
    attention.kv_a_proj_with_mqa.weight.data = torch.cat([ours.kv_down.weight, ours.k_rope.weight])
    attention.kv_b_proj.weight.data = by_head(ours.k_up, ours.v_up)
    attention.o_proj.weight.data = ours.o_proj.weight.data


@torch.no_grad()
def test_deepseek(kit, theirs):
    solution, grader = kit("attention/multi_head_latent_attention")
    ours = solution.MLA(D_MODEL, H, D_HEAD, D_C, D_ROPE)
    attention, rotary = theirs
    copied(ours, attention)
    x = torch.randn(2, 9, D_MODEL)
    cache, past, kept = None, 0, DynamicCache()
    for n in (5, 1, 3):
        new = x[:, past : past + n]
        sizes = {"d_model": D_MODEL, "h": H, "d_head": D_HEAD, "d_c": D_C, "d_rope": D_ROPE}
        by_reference = grader.expanded(dict(ours.named_parameters()), new, cache, **sizes)
        y, cache = ours(new, cache)
        torch.testing.assert_close(by_reference, (y, cache))
        hidden = torch.full((n, past + n), -torch.inf).triu(past + 1)[None, None]
        angles = rotary(new, torch.arange(past, past + n)[None])
        torch.testing.assert_close(y, attention(new, angles, hidden, kept)[0])
        past += n
    latents, keys = kept.layers[0].keys[:, 0], kept.layers[0].values[:, 0]
    torch.testing.assert_close(cache[0], latents)
    torch.testing.assert_close(cache[1].unflatten(-1, (-1, 2)).mT.flatten(-2), keys)
