"""BERT's input embeddings

BERT reads one or two sentences at once and has no notion of order but what it is told. Each
token is the sum of three rows, each from a table that is learned, and then normalised:

    x = word[id] + position[p] + segment[s]
    y = LayerNorm(x)

p counts the tokens of a sequence from 0, whatever their segments. s says to which sentence
a token belongs; without segments all belong to sentence 0, whose row is added as well.

The parameters of BertEmbeddings(vocab_size, d_model, max_len, n_segments=2, eps=1e-12) are
those of three nn.Embedding and an nn.LayerNorm with this eps:

word       [vocab_size, d_model]
position   [max_len, d_model]: there is no longer text, as nothing was learned beyond
segment    [n_segments, d_model]
norm       weight and bias [d_model]

ids        int64 [b, t], each from 0 to vocab_size - 1; 1 ≤ t ≤ max_len; need not be
           contiguous
segments   None, or int64 [b, t], each from 0 to n_segments - 1
result     [b, t, d_model], one vector for each token, in the dtype of the parameters
           (float32, float16 or bfloat16); gradients flow to all parameters

Token 0 is a token like any other, also where it stands for padding: what must not be seen is
hidden by attention's mask. The dropout of the paper is left out. nn.LayerNorm may be used.

Source: Devlin et al. 2019, BERT, arXiv:1810.04805, §3 and figure 2; norm and eps: google-research/bert, modeling.py
"""

import torch
from torch import Tensor, nn


class BertEmbeddings(nn.Module):
    """What BERT's first layer gets for each token."""

    def __init__(self, vocab_size: int, d_model: int, max_len: int, n_segments: int = 2, eps: float = 1e-12):
        super().__init__()
        # TODO (4 lines): the three tables and the norm: `word`, `position`, `segment`, `norm`
        raise NotImplementedError("parameters")

    def forward(self, ids: Tensor, segments: Tensor | None = None) -> Tensor:
        """ids and segments [b, t] -> [b, t, d_model]."""
        # TODO (2 lines): if there are no segments, let every token belong to sentence 0
        raise NotImplementedError("default")
        # TODO (1 line): `places`, the place of each token, from 0
        raise NotImplementedError("places")
        # TODO (1 line): `total`, the sum of the three rows of each token
        raise NotImplementedError("total")
        # TODO (1 line): return it normalised
        raise NotImplementedError("norm")
