"""A dataclass for each head, comprehensions, a static method, no reshape at all."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Head:
    q: Tensor
    k: Tensor
    v: Tensor

    def __call__(self, mask: Tensor | None) -> Tensor:
        scores = self.q @ self.k.mT / self.q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return scores.softmax(-1) @ self.v


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.head_dim, rest = divmod(d_model, num_heads)
        assert rest == 0
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    @staticmethod
    def mask_of_head(mask: Tensor | None, i: int) -> Tensor | None:
        if mask is None or mask.ndim < 3:
            return mask
        return mask.select(-3, i if mask.shape[-3] > 1 else 0)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        parts = [proj(x).split(self.head_dim, dim=-1) for proj in (self.q_proj, self.k_proj, self.v_proj)]
        heads = [Head(*qkv) for qkv in zip(*parts, strict=True)]
        return self.out_proj(torch.cat([head(self.mask_of_head(mask, i)) for i, head in enumerate(heads)], dim=-1))
