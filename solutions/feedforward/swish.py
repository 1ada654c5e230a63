import torch
from torch import Tensor


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """x of any shape -> the same shape and dtype."""
    wide = x.float()
    # BLANK swish
    y = wide * torch.sigmoid(beta * wide)
    # END
    return y.to(x.dtype)


def swish_grad(x: Tensor, beta: float = 1.0) -> Tensor:
    """The derivative of swish by x, at each element of x."""
    wide = x.float()
    # BLANK derivative
    gate = torch.sigmoid(beta * wide)
    dy = gate + beta * wide * gate * (1 - gate)  # by x in front, then by x inside the gate
    # END
    return dy.to(x.dtype)
