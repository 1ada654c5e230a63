"""The layers of track `models` that torch has too, with the same parameters."""

import pytest
import torch
from torch import nn
from transformers.models.marian import modeling_marian as marian


def copy_attention(ours, theirs: nn.MultiheadAttention) -> None:
    projections = ours.q_proj, ours.k_proj, ours.v_proj
    theirs.in_proj_weight.data = torch.cat([each.weight.data for each in projections])
    theirs.in_proj_bias.data = torch.cat([each.bias.data for each in projections])
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())


def copy_parts(ours, theirs, parts: dict[str, str]) -> None:
    for own, other in parts.items():
        getattr(theirs, other).load_state_dict(getattr(ours, own).state_dict())


@pytest.fixture(autouse=True)
def float64():
    """In float64, so that only another formula makes a difference."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def stirred(module: nn.Module) -> nn.Module:
    """Its parameters away from where they begin."""
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module


MASK = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]], dtype=torch.bool)


def test_encoder_layer(kit):
    solution, grader = kit("models/encoder_layer")
    ours = stirred(solution.EncoderLayer(12, 3, 20))
    theirs = nn.TransformerEncoderLayer(12, 3, 20, dropout=0.0, batch_first=True)
    copy_attention(ours, theirs.self_attn)
    copy_parts(ours, theirs, {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2"})
    x = torch.randn(2, 5, 12)
    expected = theirs(x, src_key_padding_mask=~MASK)
    torch.testing.assert_close(ours(x, MASK), expected)
    parameters = dict(ours.named_parameters())
    torch.testing.assert_close(grader.definition(parameters, x, MASK, d_model=12, num_heads=3, d_ff=20), expected)


def test_decoder_layer(kit):
    solution, grader = kit("models/decoder_layer")
    ours = stirred(solution.DecoderLayer(12, 3, 20))
    theirs = nn.TransformerDecoderLayer(12, 3, 20, dropout=0.0, batch_first=True)
    copy_attention(ours.self_attn, theirs.self_attn)
    copy_attention(ours.cross_attn, theirs.multihead_attn)
    copy_parts(ours, theirs, {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2", "norm3": "norm3"})
    x, memory = torch.randn(2, 4, 12), torch.randn(2, 5, 12)
    later = nn.Transformer.generate_square_subsequent_mask(4)
    expected = theirs(x, memory, tgt_mask=later, memory_key_padding_mask=~MASK)
    torch.testing.assert_close(ours(x, memory, MASK), expected)
    parameters = dict(ours.named_parameters())
    found = grader.definition(parameters, x, memory, MASK, d_model=12, num_heads=3, d_ff=20)
    torch.testing.assert_close(found, expected)


def test_transformer(kit):
    """torch.nn.Transformer normalises once more behind each stack; the paper does not, so those two are taken away.

    It knows no embedding: what ours gives to its layers is compared by hand with Marian's table of sines and cosines.
    """
    solution, grader = kit("models/transformer")
    ours = stirred(solution.Transformer(9, 12, 3, 20, 2))
    theirs = nn.Transformer(12, 3, 2, 2, 20, dropout=0.0, batch_first=True)
    theirs.encoder.norm = theirs.decoder.norm = None
    for own, other in zip(ours.encoder, theirs.encoder.layers, strict=True):
        copy_attention(own.self_attn, other.self_attn)
        copy_parts(own, other, {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2"})
    for own, other in zip(ours.decoder, theirs.decoder.layers, strict=True):
        copy_attention(own.self_attn, other.self_attn)
        copy_attention(own.cross_attn, other.multihead_attn)
        parts = {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2", "norm3": "norm3"}
        copy_parts(own, other, parts)
    sines = marian.MarianSinusoidalPositionalEmbedding(5, 12)
    sines.weight = nn.Parameter(sines.create_weight())  # all sines first, then all cosines

    def embed(ids: torch.Tensor) -> torch.Tensor:
        positions = sines(ids.shape).unflatten(-1, (2, 6)).mT.flatten(-2)
        return 12**0.5 * ours.embedding.weight[ids] + positions

    src, tgt = torch.randint(2, 9, (2, 5)) * MASK, torch.randint(2, 9, (2, 4))
    before = torch.tensor([[1, *text[:-1]] for text in tgt.tolist()])
    later = nn.Transformer.generate_square_subsequent_mask(4)
    padding = {"src_key_padding_mask": ~MASK, "memory_key_padding_mask": ~MASK}
    y = theirs(embed(src), embed(before), tgt_mask=later, **padding)
    expected = y @ ours.embedding.weight.T
    torch.testing.assert_close(ours(src, tgt), expected, rtol=1e-6, atol=1e-6)
    sizes = {"vocab": 9, "d_model": 12, "num_heads": 3, "d_ff": 20, "num_layers": 2}
    found = grader.definition(dict(ours.named_parameters()), src, tgt, **sizes)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
