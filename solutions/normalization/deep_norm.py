import math

import torch.nn.functional as F
from torch import Tensor


def deepnorm_constants(side: str, n: int, m: int) -> tuple[float, float]:
    """alpha and beta of the layers on one side, "encoder" or "decoder", of a model with n and m layers there."""
    # BLANK alone
    if n == 0 or m == 0:
        layers = n + m
        return (2 * layers) ** 0.25, (8 * layers) ** -0.25
    # END
    # BLANK both
    if side == "encoder":
        return 0.81 * (n**4 * m) ** (1 / 16), 0.87 * (n**4 * m) ** (-1 / 16)
    return (3 * m) ** 0.25, (12 * m) ** -0.25
    # END


def deep_norm(x: Tensor, fx: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5) -> Tensor:
    """x and fx = f(x) [..., d], weight and bias [d] -> what the next sublayer gets, [..., d]."""
    # BLANK residual
    summed = alpha * x.float() + fx.float()  # what goes on is worth more than what one sublayer adds
    # END
    # BLANK norm
    return F.layer_norm(summed, weight.shape, weight.float(), bias.float(), eps).to(x.dtype)
    # END


def init_std(name: str, fan_in: int, fan_out: int, beta: float) -> float:
    """The standard deviation from which the weights called `name` are drawn."""
    # BLANK gain
    gain = (
        1.0 if name in ("q_proj", "k_proj") else beta
    )  # they only choose where to look, and add nothing to the stream
    # END
    # BLANK xavier
    return gain * math.sqrt(2 / (fan_in + fan_out))
    # END
