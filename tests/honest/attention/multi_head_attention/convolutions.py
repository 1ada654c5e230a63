"""Projections as 1 × 1 convolutions over time; features before time, so that heads split by a view of channels."""

import torch
import torch.nn.functional as F
from torch import nn


def project(linear, x):
    return F.conv1d(x, linear.weight[:, :, None], linear.bias)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias) for _ in range(4))
        self.heads = num_heads

    def forward(self, x, mask=None):
        y = x.transpose(1, 2)  # [b, d, t]
        b, d, t = y.shape
        q, k, v = (project(p, y).reshape(b, self.heads, d // self.heads, t) for p in (self.q_proj, self.k_proj, self.v_proj))
        scores = q.mT @ k / (d // self.heads) ** 0.5  # [b, h, t, t]
        if mask is not None:
            scores = torch.where(mask, scores, -torch.inf)
        y = (v @ torch.softmax(scores, dim=-1).mT).reshape(b, d, t)
        return project(self.out_proj, y).mT
