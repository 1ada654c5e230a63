"""torch.jit.script on the function that attends; Parameters of a Linear used by F.linear."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.jit.script
def attend(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tensor:
    scores = torch.matmul(q, k.transpose(-2, -1)) / float(q.size(-1)) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return torch.matmul(torch.softmax(scores, dim=-1), v)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
        b, t, d = x.shape
        q, k, v = [
            F.linear(x, p.weight, p.bias).reshape(b, t, self.num_heads, d // self.num_heads).transpose(1, 2)
            for p in (self.q_proj, self.k_proj, self.v_proj)
        ]
        return self.out_proj(attend(q, k, v, mask).transpose(1, 2).reshape(b, t, d))
