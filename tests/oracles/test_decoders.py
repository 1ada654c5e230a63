"""The decoder blocks beside transformers: random tiny configurations, the same weights."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel


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
