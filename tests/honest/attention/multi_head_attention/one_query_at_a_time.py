"""A loop over the queries: each gathers its weighted average alone."""

import torch
from torch import nn


def attend_one(query, keys, values, allowed):
    """query [b, h, 1, d], keys and values [b, h, t, d], allowed [b, h, t] or None -> [b, h, d]"""
    scores = (query * keys).sum(-1) / keys.shape[-1] ** 0.5  # [b, h, t]
    if allowed is not None:
        scores = scores.where(allowed, torch.full_like(scores, -torch.inf))
    return (scores.softmax(-1)[..., None] * values).sum(2)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.num_heads = num_heads

    def forward(self, x, mask=None):
        b, t, d_model = x.shape
        shape = b, t, self.num_heads, d_model // self.num_heads
        q = self.q_proj(x).reshape(shape).transpose(1, 2)
        k = self.k_proj(x).reshape(shape).transpose(1, 2)
        v = self.v_proj(x).reshape(shape).transpose(1, 2)
        if mask is not None:
            mask = torch.broadcast_to(mask, (b, self.num_heads, t, t))
        results = [
            attend_one(q[:, :, i : i + 1], k, v, None if mask is None else mask[:, :, i]) for i in range(t)
        ]
        return self.out_proj(torch.stack(results, dim=1).reshape(b, t, d_model))
