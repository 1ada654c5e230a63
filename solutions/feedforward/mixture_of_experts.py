import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Expert(nn.Module):
    """SwiGLU."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class MoE(nn.Module):
    """A feed-forward block of many experts, of which each token sees k."""

    def __init__(self, d_model: int, d_ff: int, num_experts: int, k: int, capacity_factor: float | None = None):
        super().__init__()
        self.num_experts, self.k, self.capacity_factor = num_experts, k, capacity_factor
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.experts = nn.ModuleList(Expert(d_model, d_ff) for _ in range(num_experts))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [b, t, d_model] -> y [b, t, d_model] and the balance loss []."""
        tokens = x.flatten(0, 1)  # [n, d_model]
        logits = self.router(tokens).float()  # [n, num_experts]
        # BLANK route
        best, chosen = logits.topk(self.k)  # each [n, k]
        weights = best.softmax(dim=-1).to(x.dtype)  # among the chosen, so that they add up to 1
        # END
        # BLANK capacity
        capacity = len(tokens)
        if self.capacity_factor is not None:
            capacity = math.ceil(self.capacity_factor * self.k * len(tokens) / self.num_experts)
        # END
        # BLANK mix
        y = torch.zeros_like(tokens)
        for i, expert in enumerate(self.experts):
            token, choice = torch.where(chosen == i)  # in the order of the tokens; each chooses an expert once at most
            token, choice = token[:capacity], choice[:capacity]
            y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])
        # END
        # BLANK balance
        share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)  # [num_experts], no gradient
        probability = logits.softmax(dim=-1).mean(dim=0)  # [num_experts], over all experts
        balance = self.num_experts * (share * probability).sum()
        # END
        return y.view_as(x), balance
