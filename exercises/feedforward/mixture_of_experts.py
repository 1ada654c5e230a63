"""Sparse mixture of experts

Of many feed-forward blocks, the experts, each token goes through the k that a router picks for
it: more parameters at the cost of k. For the n = b · t tokens x of the whole batch:

    s = x W_r                            [n, num_experts], the scores of the router
    w = softmax(topk(s))                 [n, k], over the k largest scores only
    y = Σ_j w_j · E_j(x)                 j: the chosen experts
    E(x) = (silu(x W) ⊗ (x V)) W2        ⊗ element by element
    balance = num_experts · Σ_i f_i P_i  i: all experts

balance is a loss against a router that sends all to a few experts: f_i is the number of tokens
that have i among their k, divided by n; P_i is the mean over the n tokens of softmax(s)_i, over
all experts. If all are evenly spread, it is k. Gradients reach the router by P_i and by w.

With a capacity_factor an expert takes only the first ceil(capacity_factor · k · n / num_experts)
tokens that chose it, sequence by sequence, token by token. Its terms for later ones are left
out of y; other weights and f stay as they are. With None no token is refused.

Parameters: router, an nn.Linear from d_model to num_experts, and experts, an nn.ModuleList of
modules, each with nn.Linear gate_proj (W) and up_proj (V) from d_model to d_ff, and down_proj
(W2) back. None has a bias.

x       [b, t, d_model], float32, float16 or bfloat16, like the parameters; need not be
        contiguous, must not be changed. Rounding never decides which k scores are the largest
result  (y, balance): y like x, balance [] in float32; gradients flow from both to x and
        the parameters

An expert computes only the tokens that it was given: the cost goes with k, not num_experts.
To compute all experts together, padded to the longest, is fine.

Source: Jiang et al. 2024, Mixtral, arXiv:2401.04088, §2.1; Fedus et al. 2021, Switch, arXiv:2101.03961, eq. 3 to 6
"""

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
        # TODO (2 lines): each token's k experts and their weights: `chosen`, `weights` [n, k], these in the dtype of x
        raise NotImplementedError("route")
        # TODO (3 lines): how many tokens an expert takes; call it `capacity`
        raise NotImplementedError("capacity")
        # TODO (5 lines): the weighted sum of each token's experts, as far as there is room; call it `y`, [n, d_model]
        raise NotImplementedError("mix")
        # TODO (3 lines): the loss against crowding, []; call it `balance`
        raise NotImplementedError("balance")
        return y.view_as(x), balance
