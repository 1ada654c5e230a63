"""The gate is kept away from both ends, as against a vanishing gradient.

Verdict: failed
"""

import torch
from torch import nn


class GLUFFN(nn.Module):
    def __init__(self, d_model, d_ff, bias=False):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x):
        return self.down_proj(torch.sigmoid(self.gate_proj(x).clamp(-8, 8)) * self.up_proj(x))
