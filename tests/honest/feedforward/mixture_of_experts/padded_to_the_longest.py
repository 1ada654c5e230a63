"""All experts at once: their weights stacked, their tokens padded to the longest list, batched products."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Expert(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)


class MoE(nn.Module):
    def __init__(self, d_model, d_ff, num_experts, k, capacity_factor=None):
        super().__init__()
        self.E, self.k, self.capacity_factor = num_experts, k, capacity_factor
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList([Expert(d_model, d_ff) for _ in range(num_experts)])

    def forward(self, x):
        tokens = x.reshape(-1, x.shape[-1])
        n = len(tokens)
        logits = self.router(tokens)
        chosen = logits.topk(self.k, dim=-1).indices
        picked = torch.zeros(n, self.E, dtype=torch.bool).scatter(1, chosen, torch.ones_like(chosen, dtype=torch.bool))
        share = picked.float().mean(0)
        weights = logits.float().masked_fill(~picked, -math.inf).softmax(-1).to(x.dtype)
        place = picked.long().cumsum(0) - 1
        if self.capacity_factor is not None:
            picked = picked & (place < math.ceil(self.capacity_factor * self.k * n / self.E))
        longest = int(picked.sum(0).max())
        token, expert = picked.nonzero(as_tuple=True)
        rows = tokens.new_zeros(self.E, longest, x.shape[-1]).index_put((expert, place[token, expert]), tokens[token])
        gate_proj = torch.stack([each.gate_proj.weight for each in self.experts])
        up_proj = torch.stack([each.up_proj.weight for each in self.experts])
        down_proj = torch.stack([each.down_proj.weight for each in self.experts])
        hidden = F.silu(rows @ gate_proj.mT) * (rows @ up_proj.mT)
        out = (hidden @ down_proj.mT)[expert, place[token, expert]]
        y = torch.zeros_like(tokens).index_add(0, token, out * weights[token, expert].unsqueeze(1))
        balance = self.E * (share * torch.softmax(logits, dim=-1, dtype=torch.float32).mean(0)).sum()
        return y.reshape(x.shape), balance
