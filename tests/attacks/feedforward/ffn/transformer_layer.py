"""The block that lies in the library's encoder layer.

Verdict: failed, CZ001
"""

import torch.nn.functional as F
from torch import nn


class FFN(nn.Module):
    def __init__(self, d_model, d_ff, activation="relu", bias=True):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)
        self.layer = nn.TransformerEncoderLayer(d_model, 1, d_ff, 0.0, activation, bias=bias)

    def forward(self, x):
        self.layer.linear1, self.layer.linear2 = self.fc1, self.fc2
        return self.layer._ff_block(x)
