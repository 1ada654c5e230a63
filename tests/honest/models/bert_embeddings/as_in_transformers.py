"""Position numbers as a buffer that is no parameter, expanded over the batch; sums one after the other."""

import torch
from torch import nn


class BertEmbeddings(nn.Module):
    def __init__(self, vocab_size: int, d_model: int, max_len: int, n_segments: int = 2, eps: float = 1e-12) -> None:
        super().__init__()
        self.word, self.position, self.segment = (nn.Embedding(n, d_model) for n in (vocab_size, max_len, n_segments))
        self.norm = nn.LayerNorm(d_model, eps=eps)
        self.register_buffer("numbers", torch.arange(max_len).expand((1, -1)), persistent=False)
        self.register_buffer("sentence", torch.zeros(1, max_len, dtype=torch.long), persistent=False)

    def forward(self, ids, segments=None):
        b, t = ids.shape
        if segments is None:
            segments = self.sentence[:, :t].expand(b, t)
        out = self.word(ids)
        out = out + self.segment(segments)
        out = out + self.position(self.numbers[:, :t])
        return self.norm(out)
