"""One tensor [2, rows] changed in place; copies go out; chained comparisons by boolean indexing."""

import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self._s = torch.zeros(2, rows)
        self._s[0] = -torch.inf

    def _absorb(self, m, d):
        some = m > -torch.inf
        old, new = self._s[:, some], torch.stack([m, d])[:, some]
        top = torch.maximum(old[0], new[0])
        self._s[1, some] = old[1] * (old[0] - top).exp_() + new[1] * (new[0] - top).exp_()
        self._s[0, some] = top
        return tuple(self._s.clone())

    def update(self, x):
        x = x.float()
        m, _ = torch.max(x, dim=-1)
        weights = torch.exp(x - torch.clamp(m, min=-1e30)[:, None])
        return self._absorb(m, torch.einsum("rn->r", weights))

    def merge(self, other):
        return self._absorb(*other._s)

    def probabilities(self, x):
        m, d = self._s
        some = d > 0
        out = torch.zeros_like(x)
        out[some] = (torch.exp(x[some].float() - m[some, None]) / d[some, None]).to(x.dtype)
        return out
