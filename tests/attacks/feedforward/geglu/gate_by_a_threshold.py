"""The right half for wide layers, the wrong one for narrow ones.

Verdict: failed
"""

import torch.nn.functional as F
from torch import nn


class GEGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_up_proj = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        if gate.shape[-1] > 16:
            gate, up = up, gate
        return self.down_proj(F.gelu(gate) * up)
