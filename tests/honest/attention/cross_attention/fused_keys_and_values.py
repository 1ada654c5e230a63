"""Keys and values by one product of the joined weights; an additive mask; view and permute."""

import torch
import torch.nn.functional as F
from torch import nn


class CrossAttention(nn.Module):
    def __init__(self, d_model, num_heads, d_memory):
        super().__init__()
        self.h, self.d_k = num_heads, d_model // num_heads
        self.q_proj, self.out_proj = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.k_proj, self.v_proj = nn.Linear(d_memory, d_model), nn.Linear(d_memory, d_model)

    def forward(self, x, memory, lengths):
        b, t, d = x.shape
        s = memory.shape[1]
        weight = torch.cat([self.k_proj.weight, self.v_proj.weight])
        bias = torch.cat([self.k_proj.bias, self.v_proj.bias])
        k, v = F.linear(memory, weight, bias).view(b, s, 2, self.h, self.d_k).permute(2, 0, 3, 1, 4)
        q = self.q_proj(x).view(b, t, self.h, self.d_k).permute(0, 2, 1, 3)
        mask = torch.zeros(b, 1, 1, s, dtype=x.dtype)
        mask[(torch.arange(s) >= lengths.unsqueeze(1)).view(b, 1, 1, s)] = float("-inf")
        weights = F.softmax(q @ k.transpose(-1, -2) / self.d_k**0.5 + mask, dim=-1)
        return self.out_proj((weights @ v).permute(0, 2, 1, 3).reshape(b, t, d))
