"""The decoder blocks beside transformers: random tiny configurations, the same weights."""

import pytest
import torch
from transformers import DynamicCache, GlmConfig, GPT2Config, GPT2LMHeadModel, LlamaConfig, Qwen2Config
from transformers.models.glm.modeling_glm import GlmDecoderLayer, GlmRotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer, Qwen2RotaryEmbedding


@pytest.mark.parametrize(("t", "layers", "heads"), [(9, 3, 4), (1, 1, 1), (16, 2, 12)])
def test_gpt(kit, t, layers, heads):
    """Its Conv1D has the matrix of a linear layer transposed; that of the embeddings is tied."""
    solution, grader = kit("models/gpt_block")
    config = GPT2Config(vocab_size=37, n_positions=16, n_embd=24, n_layer=layers, n_head=heads)
    theirs = GPT2LMHeadModel(config).eval()
    sizes = {"vocab_size": 37, "context": 16, "d_model": 24, "num_heads": heads, "num_layers": layers}
    ours = solution.GPT(**sizes)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            parameter.normal_(std=0.5)
            matrix = name.endswith(".weight") and "c_" in name
            theirs.transformer.get_parameter(name).copy_(parameter.T if matrix else parameter)
    ids = torch.randint(37, (3, t))
    logits = theirs(ids).logits
    torch.testing.assert_close(ours(ids), logits)
    torch.testing.assert_close(grader.definition(dict(ours.named_parameters()), ids, **sizes), logits)


# How many tokens of a text each call brings.
CALLS = {"at once": [7], "prefill then decode": [5, 1, 1], "in chunks": [3, 4]}


def after_each_other(block, x, counts):
    """The answer of ours for a text that comes in pieces, and the cache that is left."""
    outputs, cache, start = [], None, 0
    for count in counts:
        y, cache = block(x[:, start : start + count], torch.arange(start, start + count), cache)
        outputs.append(y)
        start += count
    return torch.cat(outputs, dim=1), cache


def randomised(ours, theirs):
    """Both with the same random weights: theirs are in modules within the block."""
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            inner = name if "layernorm" in name else f"{'self_attn' if name[0] in 'qkvo' else 'mlp'}.{name}"
            theirs.get_parameter(inner).copy_(parameter.normal_(std=0.5))
    assert len(list(theirs.parameters())) == len(list(ours.parameters()))


def configured(configuration, sizes, **rope):
    """Their configuration of a layer of our sizes."""
    return configuration(
        hidden_size=sizes["d_model"],
        num_attention_heads=sizes["num_heads"],
        num_key_value_heads=sizes["num_kv_heads"],
        head_dim=sizes["d_model"] // sizes["num_heads"],
        intermediate_size=sizes["d_ff"],
        rms_norm_eps=sizes["eps"],
        rope_parameters={"rope_type": "default", "rope_theta": sizes["base"]} | rope,
        attn_implementation="eager",
    )


def compare(modules, name, layer, rotary, configuration, sizes, counts):
    """Ours and the grader's against a layer of theirs: outputs, and the cache that is left."""
    solution, grader = modules
    config = configured(configuration, sizes)
    theirs, ours = layer(config, 0), getattr(solution, name)(**sizes)
    randomised(ours, theirs)
    t = sum(counts)
    x, positions, cache = torch.randn(2, t, sizes["d_model"]), torch.arange(t), DynamicCache()
    later = torch.full((t, t), -torch.inf).triu(1)
    want = theirs(x, later, cache=cache, position_embeddings=rotary(config)(x, positions[None]))
    for y, (keys, values) in (
        after_each_other(ours, x, counts),
        grader.definition(dict(ours.named_parameters()), x, positions, **sizes),
    ):
        torch.testing.assert_close(y, want)
        torch.testing.assert_close(keys, cache.layers[0].keys)
        torch.testing.assert_close(values, cache.layers[0].values)


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("kv_heads", [1, 2, 6])
def test_llama(kit, case, kv_heads):
    sizes = {"d_model": 24, "num_heads": 6, "num_kv_heads": kv_heads, "d_ff": 17, "eps": 1e-3, "base": 1e4}
    compare(
        kit("models/llama_block"),
        "LlamaBlock",
        LlamaDecoderLayer,
        LlamaRotaryEmbedding,
        LlamaConfig,
        sizes,
        CALLS[case],
    )


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("kv_heads", [1, 2, 6])
def test_qwen(kit, case, kv_heads):
    """Of the second generation, which scales no queries."""
    sizes = {"d_model": 24, "num_heads": 6, "num_kv_heads": kv_heads, "d_ff": 17, "eps": 1e-3, "base": 1e4}
    compare(
        kit("models/qwen_block"), "QwenBlock", Qwen2DecoderLayer, Qwen2RotaryEmbedding, Qwen2Config, sizes, CALLS[case]
    )


@pytest.mark.parametrize("kv_heads", [1, 2, 3])
@pytest.mark.parametrize("prefixes", [(0, 0), (4, 1), (7, 7)])
def test_glm(kit, kv_heads, prefixes):
    """GLM-4 is causal; with another mask its layer is a prefix decoder. transformers has no layer that draws this mask itself."""
    solution, grader = kit("models/chatglm_block")
    sizes = {"d_model": 24, "num_heads": 6, "num_kv_heads": kv_heads, "d_ff": 17, "eps": 1e-3, "base": 1e4}
    config = configured(GlmConfig, sizes, partial_rotary_factor=0.5)
    theirs, ours = GlmDecoderLayer(config, 0), solution.GLMBlock(**sizes)
    randomised(ours, theirs)
    x, positions = torch.randn(2, 7, 24), torch.arange(7) + 5
    mask = torch.full((2, 1, 7, 7), -torch.inf).triu(1)
    for row, length in zip(mask, prefixes, strict=True):
        row[..., :length] = 0
    want = theirs(x, mask, position_embeddings=GlmRotaryEmbedding(config)(x, positions[None]))
    torch.testing.assert_close(ours(x, positions, torch.tensor(prefixes)), want)
    found = grader.definition(dict(ours.named_parameters()), x, positions, torch.tensor(prefixes), **sizes)
    torch.testing.assert_close(found, want)
