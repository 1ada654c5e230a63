"""Buckets and biases beside those of transformers' T5."""

import pytest
import torch
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

ID = "positions/relative_position_bias"

# buckets, largest distance, whether keys may be later; for none of them is a whole distance a border
OPTIONS = [(32, 100, True), (32, 100, False), (8, 19, True), (8, 21, False), (24, 100, True)]


@pytest.mark.parametrize("options", OPTIONS)
def test_buckets(kit, options):
    solution, grader = kit(ID)
    relative = torch.arange(-300, 301).view(1, -1)
    theirs = T5Attention._relative_position_bucket(
        relative, bidirectional=options[2], num_buckets=options[0], max_distance=options[1]
    )
    assert solution.t5_bucket(relative, *options).equal(theirs)
    assert grader.bucket(relative, *options).equal(theirs)


@pytest.mark.parametrize("options", OPTIONS)
def test_an_encoder_and_a_decoder(kit, options):
    """With a decoder later keys are masked, but have a bias as well."""
    solution, grader = kit(ID)
    num_buckets, max_distance, bidirectional = options
    config = T5Config(
        num_heads=3,
        is_decoder=not bidirectional,
        relative_attention_num_buckets=num_buckets,
        relative_attention_max_distance=max_distance,
    )
    layer = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    table = layer.relative_attention_bias.weight
    torch.nn.init.normal_(table)
    whole = layer.compute_bias(40, 40)[0]
    for t_q in (40, 3, 1):
        theirs = whole[:, -t_q:]
        torch.testing.assert_close(solution.t5_bias(table, t_q, 40, max_distance, bidirectional), theirs)
        torch.testing.assert_close(grader.bias(table, t_q, 40, max_distance, bidirectional), theirs)
