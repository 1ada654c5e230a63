"""Two products with the two halves of the weight; GELU by erf."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class GEGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.d_ff = d_ff
        self.gate_up_proj = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        weight = self.gate_up_proj.weight
        z = F.linear(x, weight[: self.d_ff])
        gate = 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))
        return F.linear(gate * F.linear(x, weight[self.d_ff :]), self.down_proj.weight)
