import math

import torch
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Attention of every target token to every source token, by several heads."""

    def __init__(self, d_model: int, num_heads: int, d_memory: int):
        super().__init__()
        self.num_heads = num_heads
        # BLANK projections
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_memory, d_model)  # the encoder may be of another width
        self.v_proj = nn.Linear(d_memory, d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        # END

    def forward(self, x: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
        """x [b, t, d_model], memory [b, s, d_memory], lengths [b] -> [b, t, d_model]."""
        # BLANK split
        by_head = (self.num_heads, -1)
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)  # [b, h, t, head_dim]
        k = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)  # [b, h, s, head_dim]
        v = self.v_proj(memory).unflatten(-1, by_head).transpose(1, 2)
        # END
        # BLANK score
        scores = q @ k.mT / math.sqrt(q.shape[-1])  # [b, h, t, s]
        # END
        # BLANK block
        padding = torch.arange(memory.shape[1], device=x.device) >= lengths[:, None]  # [b, s]
        scores = scores.masked_fill(padding[:, None, None], -math.inf)  # the same for all heads and targets
        # END
        # BLANK merge
        heads = scores.softmax(dim=-1) @ v  # [b, h, t, head_dim]
        return self.out_proj(heads.transpose(1, 2).flatten(-2))
        # END
