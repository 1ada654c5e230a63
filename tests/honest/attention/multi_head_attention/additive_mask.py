"""An additive mask: 0 where attention is allowed, -inf elsewhere, in the dtype of the scores."""

import torch
from torch import Tensor, nn


def to_additive(mask: Tensor | None, like: Tensor) -> Tensor:
    if mask is None:
        return like.new_zeros(())
    return torch.zeros(mask.shape, dtype=like.dtype).masked_fill(mask.logical_not(), float("-inf"))


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        if d_model % num_heads != 0:
            raise ValueError(f"{d_model=} is not divisible by {num_heads=}")
        self.n_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def split_heads(self, y: Tensor) -> Tensor:
        return y.unflatten(2, (self.n_heads, -1)).movedim(2, 1)

    def merge_heads(self, y: Tensor) -> Tensor:
        return y.movedim(1, 2).flatten(2, 3)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        q = self.split_heads(self.q_proj(x))
        k = self.split_heads(self.k_proj(x))
        v = self.split_heads(self.v_proj(x))
        scores = torch.matmul(q, k.transpose(2, 3)).div(q.size(-1) ** 0.5)
        scores = scores + to_additive(mask, scores)
        weights = torch.softmax(scores, dim=3)
        return self.out_proj(self.merge_heads(torch.matmul(weights, v)))
