"""No library attention: scores, -inf and softmax, the heads one after the other; masks built from positions."""

import math

import torch
from torch import Tensor, nn


class Heads(nn.Module):
    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.size = width // count
        for name in "q_proj", "k_proj", "v_proj", "out_proj":
            setattr(self, name, nn.Linear(width, width))

    def forward(self, asks: Tensor, told: Tensor, hidden: Tensor) -> Tensor:
        found = []
        q, k, v = self.q_proj(asks), self.k_proj(told), self.v_proj(told)
        for start in range(0, q.shape[-1], self.size):
            part = slice(start, start + self.size)
            scores = torch.einsum("bqd,bkd->bqk", q[..., part], k[..., part]) / math.sqrt(self.size)
            scores = scores.masked_fill(hidden, float("-inf"))
            found.append(scores.softmax(2) @ v[..., part])
        return self.out_proj(torch.cat(found, -1))


class DecoderLayer(nn.Module):
    def __init__(self, d_model: int, num_heads: int, d_ff: int) -> None:
        super().__init__()
        self.norm3, self.norm2, self.norm1 = nn.LayerNorm(d_model), nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.fc2, self.fc1 = nn.Linear(d_ff, d_model), nn.Linear(d_model, d_ff)
        self.cross_attn, self.self_attn = Heads(d_model, num_heads), Heads(d_model, num_heads)

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        place = torch.arange(x.size(1))
        x = self.norm1(self.self_attn(x, x, place[None, :] > place[:, None]) + x)
        x = self.norm2(self.cross_attn(x, memory, ~memory_mask.unsqueeze(1)) + x)
        return self.norm3(self.fc2(torch.clamp_min(self.fc1(x), 0)) + x)
