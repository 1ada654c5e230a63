"""A Linear of one's own, parameters registered by hand, heads by unflatten and unbind, results joined by hstack."""

import math

import torch
from torch import nn


class Affine(nn.Module):
    def __init__(self, n, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n, n).normal_(std=n**-0.5))
        self.register_parameter("bias", nn.Parameter(torch.zeros(n)) if bias else None)

    def forward(self, x):
        y = x @ self.weight.t()
        return y if self.bias is None else y + self.bias


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.d_model, self.num_heads = d_model, num_heads
        self.q_proj = Affine(d_model, bias)
        self.k_proj = Affine(d_model, bias)
        self.v_proj = Affine(d_model, bias)
        self.out_proj = Affine(d_model, bias)

    def forward(self, x, mask=None):
        b, t, d = x.shape
        mask = torch.ones((), dtype=torch.bool) if mask is None else mask
        masks = mask.broadcast_to((b, self.num_heads, t, t)).unbind(1)
        parts = [p(x).unflatten(2, (self.num_heads, -1)).unbind(2) for p in (self.q_proj, self.k_proj, self.v_proj)]
        heads = []
        for q, k, v, allowed in zip(*parts, masks):
            scores = torch.bmm(q, k.permute(0, 2, 1)) / math.sqrt(d / self.num_heads)
            scores[~allowed] = -math.inf
            heads.append(torch.bmm(torch.nn.functional.softmax(scores, 2), v))
        return self.out_proj(torch.concat(heads, dim=2))
