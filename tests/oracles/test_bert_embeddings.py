"""models/bert_embeddings beside transformers' BertEmbeddings with the same parameters."""

import pytest
import torch
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertEmbeddings

NAMES = {
    "word_embeddings.weight": "word.weight",
    "position_embeddings.weight": "position.weight",
    "token_type_embeddings.weight": "segment.weight",
    "LayerNorm.weight": "norm.weight",
    "LayerNorm.bias": "norm.bias",
}


@pytest.mark.parametrize("segmented", [True, False])
def test_the_same_vectors(kit, segmented):
    solution, grader = kit("models/bert_embeddings")
    drawn = grader.parameters(11, 8, 7, 3)
    config = BertConfig(vocab_size=11, hidden_size=8, max_position_embeddings=7, type_vocab_size=3)
    theirs, ours = BertEmbeddings(config).eval(), solution.BertEmbeddings(11, 8, 7, 3)
    theirs.load_state_dict({name: drawn[own] for name, own in NAMES.items()}, strict=False)
    ours.load_state_dict(drawn)
    ids, segments = grader.texts(2, 5, 11, 3)
    arguments = (ids, segments) if segmented else (ids,)
    torch.testing.assert_close(ours(*arguments), theirs(*arguments))
    wide = {name: value.double() for name, value in drawn.items()}
    sizes = {"vocab_size": 11, "d_model": 8, "max_len": 7, "n_segments": 3}
    torch.testing.assert_close(grader.row_by_row(wide, *arguments, **sizes).float(), theirs(*arguments))
