"""σ by its formula: far below zero the value is right and its gradient NaN.

Verdict: failed
"""

import math

from torch import nn


def matched_width(d_model, multiple_of=1):
    return math.ceil(8 * d_model // 3 / multiple_of) * multiple_of


class SwiGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        z = self.gate_proj(x)
        return self.down_proj(z / (1 + (-z).exp()) * self.up_proj(x))
