"""ReLU by a mask of the detached values, passed straight through backwards.

Verdict: failed
"""

import torch.nn.functional as F
from torch import nn


class FFN(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu", bias=True):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)
        self.act = {"relu": F.relu, "gelu": F.gelu}[activation]

    def forward(self, x):
        z = self.fc1(x)
        return self.fc2(z + (self.act(z) - z).detach())
