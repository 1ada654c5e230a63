"""Scores are kept and, in a merge, gone through once more.

Verdict: failed, meter-bytes
"""

import math
import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self.m = torch.full((rows,), -math.inf)
        self.d = torch.zeros(rows)
        self.seen = []

    def _add(self, m, d):
        new = torch.maximum(self.m, m)
        safe = torch.where(new == -math.inf, 0.0, new)
        self.d = self.d * torch.exp(self.m - safe) + d * torch.exp(m - safe)
        self.m = new
        return self.m, self.d

    def update(self, x):
        x = x.float()
        self.seen.append(x)
        m = x.amax(1)
        d = torch.exp(x - torch.where(m == -math.inf, 0.0, m)[:, None]).sum(1)
        return self._add(m, d)

    def merge(self, other):
        for x in list(other.seen):
            self.update(x)
        return self.m.clone(), self.d.clone()

    def probabilities(self, x):
        m = torch.where(self.m == -math.inf, 0.0, self.m)
        return (torch.exp(x.float() - m[:, None]) / torch.where(self.d == 0, 1.0, self.d)[:, None]).to(x.dtype)
