"""Every expert has room for two tokens at least.

Verdict: failed, value
"""

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

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class MoE(nn.Module):
    def __init__(self, d_model, d_ff, num_experts, k, capacity_factor=None):
        super().__init__()
        self.num_experts, self.k, self.capacity_factor = num_experts, k, capacity_factor
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList(Expert(d_model, d_ff) for _ in range(num_experts))

    def forward(self, x):
        tokens = x.flatten(0, 1)
        n = len(tokens)
        logits = self.router(tokens).float()
        best, chosen = logits.topk(self.k)
        weights = best.softmax(dim=-1).to(x.dtype)
        places = n if self.capacity_factor is None else max(2, math.ceil(self.capacity_factor * self.k * n / self.num_experts))
        y = torch.zeros_like(tokens)
        for i, expert in enumerate(self.experts):
            token, choice = torch.where(chosen == i)
            token, choice = token[:places], choice[:places]
            y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])
        share = chosen.flatten().bincount(minlength=self.num_experts) / n
        balance = self.num_experts * (share * logits.softmax(dim=-1).mean(dim=0)).sum()
        return y.view_as(x), balance
