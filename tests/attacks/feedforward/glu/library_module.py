"""The library's module, in a Sequential of its own.

Verdict: failed, CZ001
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
        return nn.Sequential(nn.GLU(), self.down_proj)(torch.cat([self.up_proj(x), self.gate_proj(x)], dim=-1))
