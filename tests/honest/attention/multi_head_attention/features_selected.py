"""No head axis is split off: each head is the full width, times 1 for its own features and 0 for all others."""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        for name in ("q", "k", "v", "out"):
            setattr(self, f"{name}_proj", nn.Linear(d_model, d_model, bias=bias))
        self.h, self.head_dim = num_heads, d_model // num_heads

    def forward(self, x, mask=None):
        own = (torch.arange(self.h)[:, None] == torch.arange(x.shape[-1]) // self.head_dim).to(x.dtype)  # [h, d_model]
        own = own[:, None]  # [h, 1, d_model]
        q, k, v = self.q_proj(x)[:, None] * own, self.k_proj(x)[:, None], self.v_proj(x)[:, None] * own
        scores = q @ k.transpose(-1, -2) * self.head_dim**-0.5
        if mask is not None:
            scores = scores.masked_fill(mask.logical_not(), -torch.inf)
        return self.out_proj((scores.softmax(-1) @ v).sum(dim=1))
