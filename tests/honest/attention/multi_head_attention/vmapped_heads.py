"""Single-head attention written for one sequence, lifted to heads and batch by two torch.vmap."""

from typing import NamedTuple

import torch
from torch import nn


class QKV(NamedTuple):
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor


def one_head(q, k, v, mask):
    # [t, d] each, mask [t, t]
    scores = torch.mm(q, k.t()).mul(q.shape[-1] ** -0.5)
    return torch.mm(torch.softmax(torch.where(mask, scores, float("-inf")), dim=1), v)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x, mask=None):
        b, t, _ = x.shape
        if mask is None:
            mask = x.new_ones((), dtype=torch.bool)
        mask = mask.expand(b, self.num_heads, t, t)
        qkv = QKV(*(f(x).unflatten(-1, (self.num_heads, -1)) for f in (self.q_proj, self.k_proj, self.v_proj)))
        over_heads = torch.vmap(one_head, in_dims=(1, 1, 1, 0), out_dims=1)
        y = torch.vmap(over_heads)(*qkv, mask)
        return self.out_proj(y.flatten(-2))
