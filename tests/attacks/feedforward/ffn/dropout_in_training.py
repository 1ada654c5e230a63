"""A dropout of a tenth between the layers, as in many a repository.

Verdict: failed
"""

import torch.nn.functional as F
from torch import nn


class FFN(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu", bias=True):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)
        self.act = {"relu": F.relu, "gelu": F.gelu}[activation]
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return self.fc2(self.dropout(self.act(self.fc1(x))))
