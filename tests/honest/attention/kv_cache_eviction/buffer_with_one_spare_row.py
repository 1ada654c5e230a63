"""Buffers of budget + 1 rows, allocated once; the row that goes is closed up by a copy."""

import math

import torch


def evict(mass, budget, sinks, recent):
    n = mass.shape[-1]
    if n <= budget:
        return torch.arange(n).repeat(*mass.shape[:-1], 1)
    middle = mass[..., sinks : n - recent]
    heavy = middle.topk(budget - sinks - recent, dim=-1).indices.sort(-1).values + sinks
    first, last = torch.arange(sinks), torch.arange(n - recent, n)
    lead = mass.shape[:-1]
    return torch.cat([first.expand(*lead, -1), heavy, last.expand(*lead, -1)], dim=-1)


class BoundedCache:
    def __init__(self, budget, sinks, recent):
        self.budget, self.sinks, self.recent, self.n = budget, sinks, recent, 0

    def __len__(self):
        return self.n

    def step(self, q, k, v):
        b, h, _, d = k.shape
        if self.n == 0:
            self.keys, self.values = k.new_empty(b, h, self.budget + 1, d), v.new_empty(b, h, self.budget + 1, d)
            self.mass = torch.zeros(b, h, self.budget + 1)
        n = self.n
        self.keys[:, :, n], self.values[:, :, n], self.mass[:, :, n] = k[:, :, 0], v[:, :, 0], 0
        s = (self.keys[:, :, : n + 1] * q).sum(-1) / math.sqrt(d)
        w = torch.exp(s - s.amax(-1, keepdim=True))
        w = w / w.sum(-1, keepdim=True)
        y = (w.unsqueeze(-1) * self.values[:, :, : n + 1]).sum(2, keepdim=True)
        self.mass[:, :, : n + 1] += w
        stays = evict(self.mass[:, :, : n + 1], self.budget, self.sinks, self.recent)
        self.n = stays.shape[-1]
        if self.n <= n:
            rows = stays.unsqueeze(-1).expand(-1, -1, -1, d)
            self.keys[:, :, : self.n] = self.keys.gather(2, rows)
            self.values[:, :, : self.n] = self.values.gather(2, rows)
            self.mass[:, :, : self.n] = self.mass.gather(2, stays)
        return y
