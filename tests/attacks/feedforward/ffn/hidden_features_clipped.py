"""No hidden feature is larger than ten.

Verdict: failed
"""

import torch.nn.functional as F
from torch import nn


class FFN(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu", bias=True):
        super().__init__()
        self.fc1 = nn.Linear(d_model, d_ff, bias=bias)
        self.fc2 = nn.Linear(d_ff, d_model, bias=bias)
        self.activation = F.relu if activation == "relu" else F.gelu

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)).clamp(max=10.0))
