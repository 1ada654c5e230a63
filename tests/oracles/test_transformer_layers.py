"""The layers of track `models` that torch has too, with the same parameters."""

import pytest
import torch
from torch import nn

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise


def solution(id: str) -> dict:
    """What the solution of an exercise defines."""
    names: dict = {}
    exec(Exercise(builtin_root(), id).solution, names)
    return names


def copy_attention(ours, theirs: nn.MultiheadAttention) -> None:
    projections = ours.q_proj, ours.k_proj, ours.v_proj
    theirs.in_proj_weight.data = torch.cat([each.weight.data for each in projections])
    theirs.in_proj_bias.data = torch.cat([each.bias.data for each in projections])
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())


def copy_parts(ours, theirs, parts: dict[str, str]) -> None:
    for own, other in parts.items():
        getattr(theirs, other).load_state_dict(getattr(ours, own).state_dict())


@pytest.fixture(autouse=True)
def drawn():
    """In float64, so that only another formula makes a difference; all parameters away from where they begin."""
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def stirred(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module


MASK = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]], dtype=torch.bool)


def test_encoder_layer():
    ours = stirred(solution("models/encoder_layer")["EncoderLayer"](12, 3, 20))
    theirs = nn.TransformerEncoderLayer(12, 3, 20, dropout=0.0, batch_first=True)
    copy_attention(ours, theirs.self_attn)
    copy_parts(ours, theirs, {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2"})
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(ours(x, MASK), theirs(x, src_key_padding_mask=~MASK))


def test_decoder_layer():
    ours = stirred(solution("models/decoder_layer")["DecoderLayer"](12, 3, 20))
    theirs = nn.TransformerDecoderLayer(12, 3, 20, dropout=0.0, batch_first=True)
    copy_attention(ours.self_attn, theirs.self_attn)
    copy_attention(ours.cross_attn, theirs.multihead_attn)
    copy_parts(ours, theirs, {"fc1": "linear1", "fc2": "linear2", "norm1": "norm1", "norm2": "norm2", "norm3": "norm3"})
    x, memory = torch.randn(2, 4, 12), torch.randn(2, 5, 12)
    later = nn.Transformer.generate_square_subsequent_mask(4)
    expected = theirs(x, memory, tgt_mask=later, memory_key_padding_mask=~MASK)
    torch.testing.assert_close(ours(x, memory, MASK), expected)
