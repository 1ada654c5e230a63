"""One that has seen nothing takes the tensors of the other one, and later changes them in place.

Verdict: failed
"""

import math
import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self.m = torch.full((rows,), -math.inf)
        self.d = torch.zeros(rows)

    def _add(self, m, d):
        new = torch.maximum(self.m, m)
        safe = torch.where(new == -math.inf, 0.0, new)
        self.d.mul_(torch.exp(self.m - safe)).add_(d * torch.exp(m - safe))
        self.m.copy_(new)
        return self.m.clone(), self.d.clone()

    def update(self, x):
        x = x.float()
        m = x.amax(1)
        d = torch.exp(x - torch.where(m == -math.inf, 0.0, m)[:, None]).sum(1)
        return self._add(m, d)

    def merge(self, other):
        if (self.d == 0).all():
            self.m, self.d = other.m, other.d
            return self.m.clone(), self.d.clone()
        return self._add(other.m, other.d)

    def probabilities(self, x):
        m = torch.where(self.m == -math.inf, 0.0, self.m)
        return (torch.exp(x.float() - m[:, None]) / torch.where(self.d == 0, 1.0, self.d)[:, None]).to(x.dtype)
