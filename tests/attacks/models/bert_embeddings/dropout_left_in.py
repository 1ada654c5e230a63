"""BERT's own dropout, which acts while training.

Verdict: failed, value
"""

import torch
from torch import nn


class BertEmbeddings(nn.Module):
    def __init__(self, vocab_size, d_model, max_len, n_segments=2, eps=1e-12):
        super().__init__()
        self.word = nn.Embedding(vocab_size, d_model)
        self.position = nn.Embedding(max_len, d_model)
        self.segment = nn.Embedding(n_segments, d_model)
        self.norm = nn.LayerNorm(d_model, eps=eps)
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids, segments=None):
        segments = torch.zeros_like(ids) if segments is None else segments
        y = self.norm(self.word(ids) + self.position(torch.arange(ids.shape[1])) + self.segment(segments))
        return self.dropout(y)
