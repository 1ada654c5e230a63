"""Keys in the rows, queries in the columns: the softmax over axis -2; float32 from the scores on; additive mask."""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.shape = num_heads, d_model // num_heads

    def heads(self, y):
        return y.view(*y.shape[:2], *self.shape).movedim(2, 1)

    def forward(self, x, mask=None):
        q, k, v = self.heads(self.q_proj(x)), self.heads(self.k_proj(x)), self.heads(self.v_proj(x))
        scores = (k @ q.mT).float() / self.shape[1] ** 0.5  # [b, h, key, query]
        if mask is not None:
            scores = scores + torch.zeros(mask.shape).masked_fill(~mask, float("-inf")).transpose(-1, -2)
        weights = torch.softmax(scores, dim=-2).to(v.dtype)
        return self.out_proj((weights.mT @ v).movedim(1, 2).reshape(x.shape))
