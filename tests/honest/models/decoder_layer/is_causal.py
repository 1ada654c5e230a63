"""The library's is_causal for one attention, numbers to add for the other; sublayers as methods, a helper around them."""

import torch
import torch.nn.functional as F
from torch import nn


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, query, context, **how):
        q, k, v = self.q_proj(query), self.k_proj(context), self.v_proj(context)
        q, k, v = (y.unflatten(2, (self.heads, y.shape[2] // self.heads)).transpose(1, 2) for y in (q, k, v))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, **how).transpose(1, 2).reshape(query.shape))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.self_attn = MHA(d_model, num_heads)
        self.cross_attn = MHA(d_model, num_heads)
        self.fc1 = nn.Linear(d_model, d_ff)
        self.fc2 = nn.Linear(d_ff, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm3 = nn.LayerNorm(d_model)

    @staticmethod
    def sublayer(x, f, norm):
        return norm(x + f(x))

    def forward(self, x, memory, memory_mask):
        padding = torch.zeros(memory_mask.shape, dtype=x.dtype).masked_fill_(~memory_mask, -torch.inf)[:, None, None]
        x = self.sublayer(x, lambda y: self.self_attn(y, y, is_causal=True), self.norm1)
        x = self.sublayer(x, lambda y: self.cross_attn(y, memory, attn_mask=padding), self.norm2)
        return self.sublayer(x, lambda y: self.fc2(self.fc1(y).relu()), self.norm3)
