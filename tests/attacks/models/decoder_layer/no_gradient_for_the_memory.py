"""The right values, but the encoder learns nothing.

Verdict: failed
"""

import torch
import torch.nn.functional as F
from torch import nn


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x, source, visible):
        q, k, v = self.q_proj(x), self.k_proj(source), self.v_proj(source)
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2) for y in (q, k, v))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, visible).transpose(1, 2).flatten(2))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.self_attn, self.cross_attn = MHA(d_model, num_heads), MHA(d_model, num_heads)
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))

    def forward(self, x, memory, memory_mask):
        past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
        h = self.norm1(x + self.self_attn(x, x, past))
        c = self.norm2(h + self.cross_attn(h, memory.detach(), memory_mask[:, None, None]))
        return self.norm3(c + self.fc2(self.fc1(c).relu()))
