"""Attends to what it may only, but copies every token that ever came with each step.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def evict(mass, budget, sinks, recent):
    n = mass.shape[-1]
    slot = torch.arange(n)
    safe = (slot < sinks) | (slot >= n - recent)
    return mass.masked_fill(safe, math.inf).topk(min(n, budget)).indices.sort().values


class BoundedCache:
    def __init__(self, budget, sinks, recent):
        self.limits, self.k, self.v = (budget, sinks, recent), [], []

    def __len__(self):
        return min(len(self.k), self.limits[0])

    def step(self, q, k, v):
        self.k.append(k)
        self.v.append(v)
        n, lead = len(self.k), k.shape[:2]
        everything, values = torch.cat(self.k, 2), torch.cat(self.v, 2)
        new = torch.full((*lead, 1), n - 1)
        home = new if n == 1 else torch.cat([self.home, new], -1)
        keys = everything.take_along_dim(home[..., None], 2)
        weights = (q @ keys.mT / math.sqrt(q.shape[-1])).softmax(-1)
        zero = torch.zeros(*lead, 1)
        mass = (zero if n == 1 else torch.cat([self.mass, zero], -1)) + weights[:, :, 0]
        stays = evict(mass, *self.limits)
        self.home, self.mass = home.gather(-1, stays), mass.gather(-1, stays)
        return weights @ values.take_along_dim(home[..., None], 2)
