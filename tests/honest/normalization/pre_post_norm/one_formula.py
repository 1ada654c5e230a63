"""All placements by one chain of identities; nn.Sequential for f and for the stack."""

from torch import nn


class ResidualBlock(nn.Module):
    def __init__(self, d_model, d_ff, placement):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        if placement == "sandwich":
            self.out_norm = nn.LayerNorm(d_model)
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.placement = placement

    def forward(self, x):
        nothing = nn.Identity()
        before = nothing if self.placement == "post" else self.norm
        inside = self.out_norm if self.placement == "sandwich" else nothing
        around = self.norm if self.placement == "post" else nothing
        return around(nn.Sequential(before, self.fc1, nn.ReLU(), self.fc2, inside)(x) + x)


class Stack(nn.Module):
    def __init__(self, d_model, d_ff, depth, placement):
        super().__init__()
        self.blocks = nn.ModuleList([ResidualBlock(d_model, d_ff, placement) for _ in range(depth)])
        if placement != "post":
            self.norm = nn.LayerNorm(d_model)
        self.ends_normalised = placement == "post"

    def forward(self, x):
        for layer in self.blocks:
            x = layer(x)
        return x if self.ends_normalised else self.norm(x)
