"""models/parameter_count beside transformers: the same models without memory, their parameters counted."""

import pytest
import torch
from transformers import GemmaConfig, GPT2Config, LlamaConfig
from transformers.models.gemma.modeling_gemma import GemmaForCausalLM
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel
from transformers.models.llama.modeling_llama import LlamaForCausalLM


def gpt2(cfg):
    assert cfg["n_heads"] * cfg["d_head"] == cfg["d_model"], "transformers has no other GPT-2"
    sizes = {"n_layer": cfg["n_layers"], "n_embd": cfg["d_model"], "n_head": cfg["n_heads"], "n_inner": cfg["d_ff"]}
    return GPT2LMHeadModel(GPT2Config(vocab_size=cfg["vocab"], n_positions=cfg["n_ctx"], **sizes))


def llama(cfg):
    return LlamaForCausalLM(LlamaConfig(**shared(cfg), attention_bias=cfg["bias"], mlp_bias=cfg["bias"]))


def gemma(cfg):
    return GemmaForCausalLM(GemmaConfig(**shared(cfg)))


def shared(cfg):
    return {
        "vocab_size": cfg["vocab"],
        "num_hidden_layers": cfg["n_layers"],
        "hidden_size": cfg["d_model"],
        "num_attention_heads": cfg["n_heads"],
        "num_key_value_heads": cfg["n_kv_heads"],
        "head_dim": cfg["d_head"],
        "intermediate_size": cfg["d_ff"],
        "tie_word_embeddings": cfg["tied"],
    }


PUBLISHED = {
    "GPT-2": gpt2,
    "GPT-3 Small": gpt2,
    "GPT-3 175B": gpt2,
    "Llama 7B": llama,
    "Llama 2 70B": llama,
    "Llama 3 8B": llama,
    "Llama 3.2 1B": llama,
    "Gemma 7B": gemma,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_real_model_has_as_many_parameters(name, kit):
    solution, grader = kit("models/parameter_count")
    sizes, count = grader.MODELS[name]
    cfg = dict(zip(grader.FIELDS, sizes, strict=True))
    with torch.device("meta"):
        model = PUBLISHED[name](cfg)
    assert sum(p.numel() for p in model.parameters()) == count
    assert solution.count_params(cfg) == grader.every_tensor(cfg) == count


def test_biases_and_groups_as_in_a_llama_that_has_them(kit):
    solution, grader = kit("models/parameter_count")
    sizes = 97, 2, 24, 6, 3, 10, 41, 0, True, "rms", True, False
    cfg = dict(zip(grader.FIELDS, sizes, strict=True))
    assert solution.count_params(cfg) == sum(p.numel() for p in llama(cfg).parameters())
