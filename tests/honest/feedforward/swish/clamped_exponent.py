"""The exponential is kept from overflowing: beyond 80 it may as well stay."""

import torch
from torch import Tensor


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """x of any shape -> the same shape and dtype."""
    wide = x.float()
    y = wide / (1 + torch.exp((-beta * wide).clamp(max=80)))
    return y.to(x.dtype)


def swish_grad(x: Tensor, beta: float = 1.0) -> Tensor:
    """The derivative of swish by x, at each element of x."""
    wide = x.float()
    gate = 1 / (1 + torch.exp(torch.clamp(-beta * wide, max=80)))
    dy = gate + beta * wide * gate * (1 - gate)  # by x in front, then by x inside the gate
    return dy.to(x.dtype)
