"""Every score is kept; the sum of the probabilities is made anew from all of them.

Verdict: failed, meter-bytes
"""

import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self.m, self.d, self.seen = torch.full((rows,), -torch.inf), torch.zeros(rows), []

    def _take(self, m, d):
        new = torch.maximum(self.m, m)
        safe = new.masked_fill(new == -torch.inf, 0)
        self.m, self.d = new, self.d * torch.exp(self.m - safe) + d * torch.exp(m - safe)
        return self.m, self.d

    def update(self, x):
        x = x.float()
        self.seen.append(x)
        m = x.amax(-1)
        return self._take(m, torch.exp(x - m.masked_fill(m == -torch.inf, 0)[:, None]).sum(-1))

    def merge(self, other):
        self.seen = self.seen + other.seen
        return self._take(other.m, other.d)

    def probabilities(self, x):
        scores = torch.cat(self.seen, dim=1)
        m = scores.amax(-1, keepdim=True)
        m = m.masked_fill(m == -torch.inf, 0)
        weights = torch.exp(scores - m)
        return (torch.exp(x.float() - m) / weights.sum(-1, keepdim=True).clamp(min=1)).to(x.dtype)
