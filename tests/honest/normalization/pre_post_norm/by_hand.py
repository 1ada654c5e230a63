"""LayerNorm as a class of its own, statistics in float32; match on the placement."""

import torch
from torch import Tensor, nn


class Norm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, z: Tensor) -> Tensor:
        wide = z.float()
        centred = wide - wide.mean(-1, keepdim=True)
        normed = centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-5)
        return (normed * self.weight.float() + self.bias.float()).to(z.dtype)


class ResidualBlock(nn.Module):
    def __init__(self, d_model: int, d_ff: int, placement: str) -> None:
        super().__init__()
        self.placement = placement
        self.fc1, self.fc2, self.norm = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), Norm(d_model)
        self.out_norm = Norm(d_model) if placement == "sandwich" else None

    def forward(self, x: Tensor) -> Tensor:
        read = self.norm(x) if self.placement != "post" else x
        added = self.fc2(torch.maximum(self.fc1(read), torch.zeros((), dtype=x.dtype)))
        match self.placement:
            case "post":
                return self.norm(torch.add(x, added))
            case "pre":
                return torch.add(x, added)
            case _:
                return torch.add(x, self.out_norm(added))


class Stack(nn.Module):
    def __init__(self, d_model: int, d_ff: int, depth: int, placement: str) -> None:
        super().__init__()
        self.norm = None if placement == "post" else Norm(d_model)
        self.blocks = nn.ModuleList()
        for _ in range(depth):
            self.blocks.append(ResidualBlock(d_model, d_ff, placement))

    def forward(self, x: Tensor) -> Tensor:
        for i in range(len(self.blocks)):
            x = self.blocks[i](x)
        return x if self.norm is None else self.norm(x)
