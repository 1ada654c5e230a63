"""The two halves as an axis of their own; einsum; nn.GELU."""

import torch
from torch import nn


class GEGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_up_proj = nn.Linear(d_model, d_ff * 2, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        self.act = nn.GELU()

    def forward(self, x):
        both = torch.einsum("...d,hfd->h...f", x, self.gate_up_proj.weight.unflatten(0, (2, -1)))
        return torch.einsum("...f,df->...d", self.act(both[0]) * both[1], self.down_proj.weight)
