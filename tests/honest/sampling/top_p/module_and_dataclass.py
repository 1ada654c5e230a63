"""A dataclass of settings, an nn.Module that filters, property, __post_init__ checks, torch.no_grad."""

from __future__ import annotations

import dataclasses
import warnings

import torch as th
from torch import nn

warnings.simplefilter("ignore", category=UserWarning)


@dataclasses.dataclass(kw_only=True)
class SamplingParams:
    top_p: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError("top_p must be in (0, 1]")
        if self.temperature <= 0:
            raise ValueError("temperature must be positive")

    @property
    def inverse_temperature(self) -> float:
        return 1.0 / self.temperature


class NucleusFilter(nn.Module):
    def __init__(self, params: SamplingParams) -> None:
        super().__init__()
        self.params = params
        self.softmax = nn.Softmax(dim=-1)

    @th.no_grad()
    def forward(self, logits: th.Tensor) -> th.Tensor:
        probs = self.softmax(logits.to(th.float32) * self.params.inverse_temperature)
        ranked, index = probs.sort(dim=-1, descending=True)
        exclusive = th.cumsum(ranked, -1).sub(ranked)
        keep = th.zeros_like(probs, dtype=th.bool).scatter_(-1, index, exclusive < self.params.top_p)
        filtered = probs * keep
        return filtered / filtered.sum(dim=-1, keepdim=True)


def top_p_probs(logits: th.Tensor, p: float, temperature: float = 1.0) -> th.Tensor:
    params = SamplingParams(top_p=p, temperature=temperature)
    return NucleusFilter(params)(logits).to(dtype=logits.dtype)
