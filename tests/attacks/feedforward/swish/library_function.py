"""The library's silu of βx, divided by β.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F


def swish(x, beta=1.0):
    wide = x.float()
    return (F.silu(beta * wide) / beta if beta else wide / 2).to(x.dtype)


def swish_grad(x, beta=1.0):
    wide = x.float()
    gate = torch.sigmoid(beta * wide)
    return (gate + beta * wide * gate * (1 - gate)).to(x.dtype)
