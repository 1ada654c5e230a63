"""The softmax by hand: minus the largest visible score, exp, times the mask; the total kept as a number."""

import torch


class KVCache:
    total = 0

    def __init__(self):
        self.k = self.v = torch.empty(0)

    def append(self, k, v):
        self.k = torch.cat([self.k, k], 2) if self.total else k.clone()
        self.v = torch.cat([self.v, v], 2) if self.total else v.clone()
        self.total += k.shape[2]
        return self.k, self.v

    def __len__(self):
        return self.total


def attend(q, k, v, cache):
    first = len(cache)
    keys, values = cache.append(k, v)
    scores = torch.matmul(q.float(), keys.float().transpose(-1, -2)).div(q.shape[-1] ** 0.5)
    allowed = (torch.arange(len(cache)) < first + 1 + torch.arange(k.shape[2]).unsqueeze(-1)).float()
    scores = scores - torch.where(allowed > 0, scores, -torch.inf).amax(-1, keepdim=True)
    weights = scores.clamp(max=0).exp() * allowed
    return (weights / weights.sum(-1, keepdim=True) @ values.float()).to(q.dtype)
