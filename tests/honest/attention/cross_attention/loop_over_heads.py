"""One head after the other, its features sliced; the least number of the dtype for padding."""

import torch
from torch import Tensor, nn


class CrossAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, d_memory: int) -> None:
        super().__init__()
        assert d_model % num_heads == 0
        self.head_dim = d_model // num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_memory, d_model)
        self.v_proj = nn.Linear(d_memory, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
        real = torch.arange(memory.size(1)).unsqueeze(0) < lengths.unsqueeze(1)
        heads = []
        for q, k, v in zip(*(y.split(self.head_dim, -1) for y in (self.q_proj(x), self.k_proj(memory), self.v_proj(memory)))):
            scores = torch.bmm(q * self.head_dim**-0.5, k.transpose(1, 2))
            scores = torch.where(real[:, None], scores, torch.finfo(scores.dtype).min)
            heads.append(torch.bmm(scores.softmax(2), v))
        return self.out_proj(torch.cat(heads, dim=2))
