"""As in Mixtral's first code: softmax over all, renormalised; one-hot masks; idle experts skipped; index_add_ in place."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class MLP(nn.Module):
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
        self.top_k, self.factor, self.E = k, capacity_factor, num_experts
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList([MLP(d_model, d_ff) for _ in range(num_experts)])

    def forward(self, x):
        b, t, d = x.shape
        hidden = x.reshape(-1, d)
        probs = F.softmax(self.router(hidden), dim=1, dtype=torch.float)
        routing, selected = torch.topk(probs, self.top_k, dim=-1)
        routing = routing / routing.sum(dim=-1, keepdim=True)
        routing = routing.to(hidden.dtype)
        final = torch.zeros((b * t, d), dtype=hidden.dtype)
        mask = F.one_hot(selected, num_classes=self.E).permute(2, 0, 1)
        for e in range(self.E):
            top_x, idx = torch.where(mask[e])
            if top_x.shape[0] == 0:
                continue
            if self.factor is not None:
                places = math.ceil(self.factor * self.top_k * b * t / self.E)
                top_x, idx = top_x[:places], idx[:places]
            current = self.experts[e](hidden[top_x]) * routing[top_x, idx, None]
            final.index_add_(0, top_x, current.to(hidden.dtype))
        f = F.one_hot(selected, self.E).float().sum(1).mean(0)
        return final.reshape(b, t, d), self.E * torch.dot(f, probs.mean(0))
