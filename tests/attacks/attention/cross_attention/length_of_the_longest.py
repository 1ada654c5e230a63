"""All sequences are cut where the longest ends.

Verdict: failed
"""

import math

import torch
from torch import nn


class CrossAttention(nn.Module):
    def __init__(self, d_model, num_heads, d_memory):
        super().__init__()
        self.h = num_heads
        self.q_proj, self.k_proj = nn.Linear(d_model, d_model), nn.Linear(d_memory, d_model)
        self.v_proj, self.out_proj = nn.Linear(d_memory, d_model), nn.Linear(d_model, d_model)

    def heads(self, y):
        return y.unflatten(-1, (self.h, -1)).transpose(1, 2)

    def forward(self, x, memory, lengths):
        lengths = lengths.max().expand(len(lengths))
        q, k, v = self.heads(self.q_proj(x)), self.heads(self.k_proj(memory)), self.heads(self.v_proj(memory))
        padding = torch.arange(memory.shape[1]) >= lengths[:, None]
        scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(padding[:, None, None], -math.inf)
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(-2))
