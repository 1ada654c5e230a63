"""A small class for one head, given slices of the projected features; dataclass of sizes; type aliases; recursion over heads."""

from dataclasses import dataclass
from typing import Optional, TypeAlias

import torch
import torch.nn as nn

T: TypeAlias = torch.Tensor


@dataclass
class Sizes:
    d_model: int
    num_heads: int

    @property
    def head(self) -> int:
        return self.d_model // self.num_heads

    def __post_init__(self):
        if self.d_model % self.num_heads:
            raise ValueError(f"{self.num_heads} heads do not divide {self.d_model}")


class Head(nn.Module):
    def __init__(self, index: int, sizes: Sizes):
        super().__init__()
        self.cut = slice(index * sizes.head, (index + 1) * sizes.head)
        self.scale = sizes.head**-0.5

    def forward(self, q: T, k: T, v: T, mask: Optional[T]) -> T:
        q, k, v = q[..., self.cut], k[..., self.cut], v[..., self.cut]
        score = torch.einsum("bid,bjd->bij", q * self.scale, k)
        if mask is not None:
            score = score.masked_fill(mask == False, float("-inf"))  # noqa: E712
        return torch.einsum("bij,bjd->bid", score.softmax(2), v)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.sizes = Sizes(d_model, num_heads)
        self.q_proj, self.k_proj = nn.Linear(d_model, d_model, bias), nn.Linear(d_model, d_model, bias)
        self.v_proj, self.out_proj = nn.Linear(d_model, d_model, bias), nn.Linear(d_model, d_model, bias)
        self.heads = nn.ModuleList(Head(i, self.sizes) for i in range(num_heads))

    def forward(self, x: T, mask: Optional[T] = None) -> T:
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        masks = [None] * len(self.heads)
        if mask is not None:
            while mask.dim() < 4:
                mask = mask[None]
            masks = mask.expand(-1, len(self.heads), -1, -1).unbind(1)
        return self.out_proj(torch.cat([head(q, k, v, m) for head, m in zip(self.heads, masks)], -1))
