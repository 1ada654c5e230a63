import torch
from torch import Tensor, nn


class BertEmbeddings(nn.Module):
    """What BERT's first layer gets for each token."""

    def __init__(self, vocab_size: int, d_model: int, max_len: int, n_segments: int = 2, eps: float = 1e-12):
        super().__init__()
        # BLANK parameters
        self.word = nn.Embedding(vocab_size, d_model)
        self.position = nn.Embedding(max_len, d_model)
        self.segment = nn.Embedding(n_segments, d_model)
        self.norm = nn.LayerNorm(d_model, eps=eps)
        # END

    def forward(self, ids: Tensor, segments: Tensor | None = None) -> Tensor:
        """ids and segments [b, t] -> [b, t, d_model]."""
        # BLANK default
        if segments is None:
            segments = torch.zeros_like(ids)  # segment 0 has a row of its own, which is added as well
        # END
        # BLANK places
        places = torch.arange(ids.shape[1], device=ids.device)  # [t], the same in every sequence
        # END
        # BLANK total
        total = self.word(ids) + self.position(places) + self.segment(segments)  # [b, t, d_model]
        # END
        # BLANK norm
        return self.norm(total)
        # END
