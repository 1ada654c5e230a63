"""The last norm has an eps that only a small stream tells from torch's.

Verdict: failed, value
"""

from torch import nn


class ResidualBlock(nn.Module):
    def __init__(self, d_model, d_ff, placement):
        super().__init__()
        self.placement = placement
        self.fc1, self.fc2, self.norm = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), nn.LayerNorm(d_model)
        if placement == "sandwich":
            self.out_norm = nn.LayerNorm(d_model)

    def f(self, x):
        return self.fc2(self.fc1(x).relu())

    def forward(self, x):
        if self.placement == "post":
            return self.norm(x + self.f(x))
        added = self.f(self.norm(x))
        return x + (added if self.placement == "pre" else self.out_norm(added))


class Stack(nn.Module):
    def __init__(self, d_model, d_ff, depth, placement):
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(d_model, d_ff, placement) for _ in range(depth))
        self.norm = nn.Identity() if placement == "post" else nn.LayerNorm(d_model, eps=1e-12)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.norm(x)
