"""Keys, queries and values by one product; the mask as numbers to add, the least of the dtype; Sequential to run the network."""

import torch
import torch.nn.functional as F
from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model, eps=1e-5), nn.LayerNorm(d_model, eps=1e-5)

    def forward(self, x, mask):
        b, t, d = x.shape
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        bias = torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias])
        q, k, v = F.linear(x, weight, bias).view(b, t, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        away = torch.zeros(b, 1, 1, t, dtype=x.dtype).masked_fill(~mask.view(b, 1, 1, t), torch.finfo(x.dtype).min)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=away.expand(b, 1, t, t))
        added = x + self.out_proj(seen.transpose(1, 2).reshape(b, t, d))
        between = self.norm1(added)
        return self.norm2(between + nn.Sequential(self.fc1, nn.ReLU(), self.fc2)(between))
