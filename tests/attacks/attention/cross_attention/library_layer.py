"""The library's layer, which knows kdim and vdim.

Verdict: failed, CZ001
"""

import torch
from torch import nn


class CrossAttention(nn.Module):
    def __init__(self, d_model, num_heads, d_memory):
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(d_model, d_model), nn.Linear(d_memory, d_model)
        self.v_proj, self.out_proj = nn.Linear(d_memory, d_model), nn.Linear(d_model, d_model)
        self.layer = nn.MultiheadAttention(d_model, num_heads, kdim=d_model, vdim=d_model, batch_first=True)

    def forward(self, x, memory, lengths):
        padding = torch.arange(memory.shape[1]) >= lengths[:, None]
        return self.layer(self.q_proj(x), self.k_proj(memory), self.v_proj(memory), padding)[0]
