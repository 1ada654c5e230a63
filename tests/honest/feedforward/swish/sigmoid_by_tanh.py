"""The gate by a hyperbolic tangent, in the derivative as well."""

import torch
from torch import Tensor


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """x of any shape -> the same shape and dtype."""
    wide = x.float()
    y = wide * (1 + torch.tanh(beta * wide / 2)) / 2
    return y.to(x.dtype)


def swish_grad(x: Tensor, beta: float = 1.0) -> Tensor:
    """The derivative of swish by x, at each element of x."""
    wide = x.float()
    slope = torch.tanh(beta * wide / 2)
    dy = (1 + slope) / 2 + beta * wide * (1 - slope**2) / 4
    return dy.to(x.dtype)
