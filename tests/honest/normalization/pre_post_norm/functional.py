"""Functional layer_norm and linear; the stack does the work, a block of its own asks for a stack's step."""

import torch.nn.functional as F
from torch import nn


def ln(x, norm):
    return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias)


def step(block, x):
    f = lambda z: F.linear(F.relu(F.linear(z, block.fc1.weight, block.fc1.bias)), block.fc2.weight, block.fc2.bias)
    if block.placement == "post":
        return ln(x + f(x), block.norm)
    branch = f(ln(x, block.norm))
    return x + (ln(branch, block.out_norm) if block.placement == "sandwich" else branch)


class ResidualBlock(nn.Module):
    def __init__(self, d_model, d_ff, placement):
        super().__init__()
        self.placement = placement
        parts = {"fc1": nn.Linear(d_model, d_ff), "fc2": nn.Linear(d_ff, d_model), "norm": nn.LayerNorm(d_model)}
        parts |= {"out_norm": nn.LayerNorm(d_model)} if placement == "sandwich" else {}
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        return step(self, x)


class Stack(nn.Module):
    def __init__(self, d_model, d_ff, depth, placement):
        super().__init__()
        self.placement = placement
        self.blocks = nn.ModuleList(map(ResidualBlock, [d_model] * depth, [d_ff] * depth, [placement] * depth))
        if self.placement in ("pre", "sandwich"):
            self.norm = nn.LayerNorm(d_model)

    def forward(self, x):
        for block in self.blocks:
            x = step(block, x)
        return ln(x, self.norm) if hasattr(self, "norm") else x
