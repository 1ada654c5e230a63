"""All choices sorted by expert, computed in pieces, brought back to their places and summed over k."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def swiglu(expert, x):
    return expert["down_proj"](F.silu(expert["gate_proj"](x)) * expert["up_proj"](x))


class MoE(nn.Module):
    def __init__(self, d_model, d_ff, num_experts, k, capacity_factor=None):
        super().__init__()
        sizes = {"gate_proj": (d_model, d_ff), "up_proj": (d_model, d_ff), "down_proj": (d_ff, d_model)}
        self.k, self.capacity_factor = k, capacity_factor
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList(
            nn.ModuleDict({name: nn.Linear(*size, bias=False) for name, size in sizes.items()})
            for _ in range(num_experts)
        )

    def forward(self, x):
        tokens, count = x.reshape(-1, x.shape[-1]), len(self.experts)
        scores = self.router(tokens)
        values, chosen = scores.float().sort(dim=-1, descending=True)
        weights, chosen = torch.softmax(values[:, : self.k], -1), chosen[:, : self.k]
        order = chosen.flatten().argsort(stable=True)
        load = torch.zeros(count, dtype=torch.long).index_add(0, chosen.flatten(), torch.ones_like(chosen.flatten()))
        n = len(tokens)
        room = n if self.capacity_factor is None else math.ceil(self.capacity_factor * n * self.k / count)
        pieces = []
        for expert, rows in zip(self.experts, order.split(load.tolist())):
            out = swiglu(expert, tokens[rows[:room] // self.k])
            pieces.append(torch.cat([out, out.new_zeros(len(rows) - len(out), x.shape[-1])]))
        results = torch.cat(pieces)[order.argsort()].view(n, self.k, -1)
        y = (results * weights.to(x.dtype).unsqueeze(-1)).sum(1)
        balance = count * (load / n * scores.float().softmax(-1).mean(0)).sum()
        return y.view(x.shape), balance
