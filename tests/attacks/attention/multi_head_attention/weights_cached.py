"""The fused projection is made once, so that later weights have no effect.

Verdict: failed
"""

import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.__dict__["fused"] = None

    def forward(self, x, mask=None):
        b, t, d = x.shape
        if self.fused is None:
            p = self.q_proj, self.k_proj, self.v_proj
            self.__dict__["fused"] = torch.cat([each.weight for each in p]), None if p[0].bias is None else torch.cat([each.bias for each in p])
        q, k, v = nn.functional.linear(x, *self.fused).view(b, t, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        heads = scores.softmax(dim=-1) @ v
        return self.out_proj(heads.transpose(1, 2).reshape(b, t, d))
