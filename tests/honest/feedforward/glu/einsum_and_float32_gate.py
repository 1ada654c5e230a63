"""einsum, no nn.Linear called; the gate in float32 and back, written as 1 / (1 + exp(-z))."""

import torch
from torch import nn


def project(layer, x):
    y = torch.einsum("...i,oi->...o", x, layer.weight)
    return y if layer.bias is None else y + layer.bias


class GLUFFN(nn.Module):
    def __init__(self, d_model, d_ff, bias=False):
        super().__init__()
        for name, sizes in {"gate": (d_model, d_ff), "up": (d_model, d_ff), "down": (d_ff, d_model)}.items():
            self.add_module(f"{name}_proj", nn.Linear(*sizes, bias=bias))

    def forward(self, x):
        z = project(self.gate_proj, x).float()
        gate = torch.where(z >= 0, 1 / (1 + torch.exp(-z.abs())), torch.exp(-z.abs()) / (1 + torch.exp(-z.abs())))
        return project(self.down_proj, project(self.up_proj, x) * gate.to(x.dtype))
