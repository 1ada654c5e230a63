"""Where source and target are as long, the mask of the source is put on the target as well.

Verdict: failed, value
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of the tokens of one text to those of another, or of the same."""

    def __init__(self, d_model: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, source: Tensor, visible: Tensor) -> Tensor:
        """x [b, t, d_model], source [b, s, d_model], visible [.., t, s]: True where x may look -> [b, t, d_model]."""
        by_head = (self.num_heads, -1)
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
        k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
        v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
        heads = F.scaled_dot_product_attention(q, k, v, visible)
        return self.out_proj(heads.transpose(1, 2).flatten(-2))


class DecoderLayer(nn.Module):
    """Masked self-attention, attention to the source, a feed-forward network: each added and normalised."""

    def __init__(self, d_model: int, num_heads: int, d_ff: int):
        super().__init__()
        self.self_attn = Attention(d_model, num_heads)
        self.cross_attn = Attention(d_model, num_heads)
        self.fc1 = nn.Linear(d_model, d_ff)
        self.fc2 = nn.Linear(d_ff, d_model)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """x [b, t, d_model], memory [b, s, d_model], memory_mask [b, s], True where real -> [b, t, d_model]."""
        t = x.shape[1]
        past = torch.ones(t, t, dtype=torch.bool, device=x.device).tril()  # a token sees itself and what came before
        if t == memory.shape[1]:
            past = past & memory_mask[:, None, None]
        h = self.norm1(x + self.self_attn(x, x, past))
        c = self.norm2(h + self.cross_attn(h, memory, memory_mask[:, None, None]))  # the source is there as a whole
        return self.norm3(c + self.fc2(self.fc1(c).relu()))
