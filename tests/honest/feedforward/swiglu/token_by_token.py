"""One token after the other: as many operations, in smaller pieces; math.ceil for the width."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def matched_width(d_model, multiple_of=1):
    return math.ceil(math.floor(8 * d_model / 3) / multiple_of) * multiple_of


class SwiGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        if x.ndim > 1:
            return torch.stack([self.forward(row) for row in x])
        gate = F.silu(self.gate_proj(x))
        return self.down_proj(gate.mul(self.up_proj(x)))
