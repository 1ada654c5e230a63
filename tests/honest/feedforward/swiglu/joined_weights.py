"""One product with the joined weights; silu by hand; a negative floor division for the width."""

import torch
import torch.nn.functional as F
from torch import nn


def matched_width(d_model, multiple_of=1):
    return -(-(4 * d_model * 2 // 3) // multiple_of) * multiple_of


class SwiGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.d_ff = d_ff
        self.gate_proj, self.up_proj = nn.Linear(d_model, d_ff, False), nn.Linear(d_model, d_ff, False)
        self.down_proj = nn.Linear(d_ff, d_model, False)

    def forward(self, x):
        both = F.linear(x, torch.cat((self.gate_proj.weight, self.up_proj.weight)))
        g, u = both.split(self.d_ff, dim=-1)
        return self.down_proj(g * u * torch.sigmoid(g))
