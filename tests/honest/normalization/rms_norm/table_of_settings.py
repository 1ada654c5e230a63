"""A NamedTuple of settings, a table of functions by dtype, f-string names through getattr, assertions with messages."""

from __future__ import annotations

from functools import partial
from typing import Callable, NamedTuple

import torch
from torch import Tensor


class Settings(NamedTuple):
    eps: float = 1e-6
    dim: int = -1
    wide: torch.dtype = torch.float32


UPCAST: dict[torch.dtype, Callable[[Tensor], Tensor]] = {
    torch.float16: Tensor.float,
    torch.bfloat16: Tensor.float,
    torch.float32: lambda t: t,
    torch.float64: torch.clone,
}


class Norm:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._kinds = ["mean_square", "scale"]

    def _step_mean_square(self, x, weight):
        return x * x.square().mean(self.settings.dim, keepdim=True).add(self.settings.eps).rsqrt()

    def _step_scale(self, x, weight):
        return x * weight

    def __call__(self, x, weight):
        up = UPCAST.get(x.dtype, partial(torch.Tensor.to, dtype=self.settings.wide))
        y, w = map(up, (x, weight))
        for kind in self._kinds:
            y = getattr(self, f"_step_{kind}")(y, w)
        return y.to(dtype=x.dtype)


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    assert x.shape[-1] == weight.numel(), f"{x.shape[-1]=} but {weight.shape=}"
    return Norm(Settings()._replace(eps=eps))(x, weight)
