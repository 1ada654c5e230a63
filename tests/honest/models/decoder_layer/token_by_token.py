"""Self-attention as in generation: one token after the other, each with the keys and values up to its own; no mask."""

import torch
import torch.nn.functional as F
from torch import nn


class Projections(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = [nn.Linear(d, d) for _ in range(4)]

    def cut(self, y):
        return y.view(*y.shape[:2], self.h, -1).permute(0, 2, 1, 3)

    def look(self, q, k, v, mask=None):
        weights = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
        if mask is not None:
            weights = torch.where(mask, weights, torch.finfo(weights.dtype).min)
        seen = F.softmax(weights, dim=-1) @ v
        return self.out_proj(seen.permute(0, 2, 1, 3).flatten(2))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.self_attn, self.cross_attn = Projections(d_model, num_heads), Projections(d_model, num_heads)
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        for i in 1, 2, 3:
            self.add_module(f"norm{i}", nn.LayerNorm(d_model))

    def forward(self, x, memory, memory_mask):
        own, other = self.self_attn, self.cross_attn
        q, k, v = own.cut(own.q_proj(x)), own.cut(own.k_proj(x)), own.cut(own.v_proj(x))
        seen = [own.look(q[:, :, i : i + 1], k[:, :, : i + 1], v[:, :, : i + 1]) for i in range(x.shape[1])]
        h = self.norm1(x + torch.cat(seen, dim=1))
        q, k, v = other.cut(other.q_proj(h)), other.cut(other.k_proj(memory)), other.cut(other.v_proj(memory))
        c = self.norm2(h + other.look(q, k, v, memory_mask[:, None, None, :]))
        return self.norm3(c + self.fc2(F.relu(self.fc1(c))))
