"""The weights are laid out anew at the first call, and kept.

Verdict: failed
"""

import torch.nn.functional as F
from torch import nn


class FFN(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu", bias=True):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)
        self.act = {"relu": F.relu, "gelu": F.gelu}[activation]
        self.kept = None

    def forward(self, x):
        if self.kept is None:
            self.kept = self.fc1.weight.t().contiguous()
        hidden = x @ self.kept
        if self.fc1.bias is not None:
            hidden = hidden + self.fc1.bias
        return self.fc2(self.act(hidden))
