import math

import torch
from torch import Tensor


def init_weights(shapes: dict[str, list[int]], n_layers: int, scheme: str) -> dict[str, Tensor]:
    """A tensor for each name, of its shape; scheme is "xavier", "kaiming" or "gpt2"."""
    return {name: initial(name, shape, n_layers, scheme) for name, shape in shapes.items()}


def initial(name: str, shape: list[int], n_layers: int, scheme: str) -> Tensor:
    """One parameter."""
    # BLANK constants
    if name.endswith(".bias"):
        return torch.zeros(shape)
    if name.endswith("norm.weight"):
        return torch.ones(shape)
    # END
    fan_out, fan_in = shape
    if scheme == "xavier":
        # BLANK xavier
        bound = math.sqrt(6 / (fan_in + fan_out))  # a uniform number has the variance bound² / 3
        return torch.empty(shape).uniform_(-bound, bound)
        # END
    if scheme == "kaiming":
        # BLANK kaiming
        return torch.randn(shape) * math.sqrt(2 / fan_in)
        # END
    # BLANK gpt2
    std = 0.02
    if name.endswith("c_proj.weight"):
        std /= math.sqrt(2 * n_layers)  # as many of these are added to the stream, one after the other
    return torch.randn(shape) * std
    # END
