"""It counts its scores in Python: where one of the two has seen none, nothing is left to compute."""

import math

import torch
from torch import Tensor


class OnlineSoftmax:
    def __init__(self, rows: int) -> None:
        self.count = 0
        self.m = torch.full((rows,), -math.inf)
        self.d = torch.zeros(rows)

    def update(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.float()
        m = x.amax(dim=1)
        return self.take_in(m, weigh(x, m[:, None]).sum(dim=1), x.shape[1])

    def merge(self, other: "OnlineSoftmax") -> tuple[Tensor, Tensor]:
        if other.count == 0:
            return self.m, self.d
        if self.count == 0:
            self.m, self.d, self.count = other.m, other.d, other.count
            return self.m, self.d
        return self.take_in(other.m, other.d, other.count)

    def take_in(self, m: Tensor, d: Tensor, count: int) -> tuple[Tensor, Tensor]:
        top = torch.maximum(self.m, m)
        self.d = self.d * weigh(self.m, top) + d * weigh(m, top)
        self.m, self.count = top, self.count + count
        return self.m, self.d

    def probabilities(self, x: Tensor) -> Tensor:
        whole = torch.where(self.d > 0, self.d, torch.ones_like(self.d))
        return (weigh(x.float(), self.m[:, None]) / whole[:, None]).to(x.dtype)


def weigh(x: Tensor, m: Tensor) -> Tensor:
    return torch.exp(x - torch.where(torch.isinf(m), torch.zeros_like(m), m))
