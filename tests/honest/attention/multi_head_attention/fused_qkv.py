"""One matrix product for q, k and v: the weights joined by torch.cat, the result cut by chunk."""

import torch
from torch import nn
from torch.nn.functional import linear


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads, self.head_dim = num_heads, d_model // num_heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(d_model, d_model, bias=bias))

    @property
    def qkv(self):
        parts = [self.q_proj, self.k_proj, self.v_proj]
        weight = torch.cat([part.weight for part in parts])
        bias = None if parts[0].bias is None else torch.cat([part.bias for part in parts])
        return weight, bias

    def forward(self, x, mask=None):
        q, k, v = (
            piece.reshape(*x.shape[:2], self.num_heads, self.head_dim).permute(0, 2, 1, 3)
            for piece in linear(x, *self.qkv).chunk(3, dim=-1)
        )
        attention = (q * self.head_dim**-0.5).matmul(k.mT)
        if mask is not None:
            attention.masked_fill_(mask.logical_not(), torch.finfo(attention.dtype).min)
        return self.out_proj(attention.softmax(dim=-1).matmul(v).permute(0, 2, 1, 3).reshape(x.shape))
