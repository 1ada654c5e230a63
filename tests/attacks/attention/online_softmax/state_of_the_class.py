"""All share one state, begun anew by every constructor.

Verdict: failed
"""

import torch


class OnlineSoftmax:
    def __init__(self, rows):
        OnlineSoftmax.m, OnlineSoftmax.d = torch.full((rows,), -torch.inf), torch.zeros(rows)

    def _take(self, m, d):
        new = torch.maximum(self.m, m)
        safe = new.masked_fill(new == -torch.inf, 0)
        d = self.d * torch.exp(self.m - safe) + d * torch.exp(m - safe)
        OnlineSoftmax.m, OnlineSoftmax.d = new, d
        return new, d

    def update(self, x):
        x = x.float()
        m = x.amax(-1)
        return self._take(m, torch.exp(x - m.masked_fill(m == -torch.inf, 0)[:, None]).sum(-1))

    def merge(self, other):
        return self._take(other.m, other.d)

    def probabilities(self, x):
        safe = self.m.masked_fill(self.m == -torch.inf, 0)[:, None]
        return (torch.exp(x.float() - safe) / self.d.clamp(min=1)[:, None]).to(x.dtype)
