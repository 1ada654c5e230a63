"""flex_attention with the mask as a score modification, reached by importlib.

Verdict: failed
"""

import importlib

import torch
from torch import nn

library = importlib.import_module("torch.nn.attention.flex_" + "attention")


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x, mask=None):
        b, t, d = x.shape
        q, k, v = (p(x).view(b, t, self.num_heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        modify = None
        if mask is not None:
            full = mask.expand(b, self.num_heads, t, t)
            modify = lambda score, b, h, i, j: torch.where(full[b, h, i, j], score, -float("inf"))
        heads = getattr(library, "flex_" + "attention")(q, k, v, score_mod=modify)
        return self.out_proj(heads.transpose(1, 2).reshape(b, t, d))
