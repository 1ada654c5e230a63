"""A loop over the sequences, the padding cut off; einsum; the softmax in float32."""

import math

import torch
from torch import nn


class CrossAttention(nn.Module):
    def __init__(self, d_model, num_heads, d_memory):
        super().__init__()
        self.num_heads = num_heads
        for name, width in {"q": d_model, "k": d_memory, "v": d_memory, "out": d_model}.items():
            self.add_module(f"{name}_proj", nn.Linear(width, d_model))

    def attend(self, q, k, v):
        q, k, v = (y.unflatten(-1, (self.num_heads, -1)) for y in (q, k, v))
        scores = torch.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32).type_as(v)
        return torch.einsum("hts,shd->thd", weights, v).flatten(1)

    def forward(self, x, memory, lengths):
        rows = []
        for target, source, n in zip(x, memory, lengths.tolist()):
            rows.append(self.attend(self.q_proj(target), self.k_proj(source[:n]), self.v_proj(source[:n])))
        return self.out_proj(torch.stack(rows))
