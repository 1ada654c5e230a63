"""A layer of the library with unit matrices for its projections.

Verdict: failed, CZ001
"""

import torch
from torch import nn


def attention(q, k, v, mask=None):
    layer = nn.MultiheadAttention(q.shape[-1], 1, bias=False, vdim=v.shape[-1], batch_first=True)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(torch.eye(*weight.shape))
    return layer(q, k, v, attn_mask=None if mask is None else ~mask)[0]
