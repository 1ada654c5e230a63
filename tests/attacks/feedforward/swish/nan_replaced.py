"""The quotient of exponentials overflows; what is NaN afterwards becomes 0, in the gradient too late.

Verdict: failed
"""

import torch


def swish(x, beta=1.0):
    wide = x.float()
    return torch.nan_to_num(wide / (1 + torch.exp(-beta * wide))).to(x.dtype)


def swish_grad(x, beta=1.0):
    wide = x.float()
    gate = torch.sigmoid(beta * wide)
    return (gate + beta * wide * gate * (1 - gate)).to(x.dtype)
