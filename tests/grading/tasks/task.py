"""What a task is, and what all tasks draw from."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

half, bfloat16, float32 = torch.float16, torch.bfloat16, torch.float32


@dataclass
class Task:
    """A reference, calls to it, and functions of the same arguments that are right or wrong."""

    reference: Callable
    cases: dict[str, Callable[[], tuple]]
    honest: dict[str, Callable]
    mistakes: dict[str, Callable] = field(default_factory=dict)
    gradients: bool = False


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def in_float32(function: Callable) -> Callable:
    return lambda *tensors: function(*(t.float() for t in tensors)).to(tensors[0].dtype)
