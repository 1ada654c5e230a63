"""One product with the joined weights, split afterwards."""

import torch
import torch.nn.functional as F
from torch import nn


class GLUFFN(nn.Module):
    def __init__(self, d_model, d_ff, bias=False):
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(d_model, d_ff, bias), nn.Linear(d_model, d_ff, bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias)

    def forward(self, x):
        weight = torch.cat([self.up_proj.weight, self.gate_proj.weight])
        bias = torch.cat([self.up_proj.bias, self.gate_proj.bias]) if self.up_proj.bias is not None else None
        up, gate = F.linear(x, weight, bias).chunk(2, dim=-1)
        return self.down_proj(up * gate.sigmoid())
