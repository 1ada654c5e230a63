"""From β = 5 on it is a ReLU, which is close.

Verdict: failed
"""

import torch


def swish(x, beta=1.0):
    wide = x.float()
    return (wide.relu() if beta > 5 else wide * torch.sigmoid(beta * wide)).to(x.dtype)


def swish_grad(x, beta=1.0):
    wide = x.float()
    gate = torch.sigmoid(beta * wide)
    return (gate + beta * wide * gate * (1 - gate)).to(x.dtype)
