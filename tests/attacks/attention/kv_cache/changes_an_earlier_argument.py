"""The second append writes into the tensors that came with the first.

Verdict: failed, earlier-argument
"""

import math

import torch


class KVCache:
    def __init__(self):
        self.given, self.keys, self.values = [], [], []

    def append(self, k, v):
        for old in self.given:
            old.zero_()
        self.given = [k, v]
        self.keys.append(k.clone())
        self.values.append(v.clone())
        return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)

    def __len__(self):
        return sum(k.shape[2] for k in self.keys)


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = torch.arange(keys.shape[2])
    visible = position <= position[-q.shape[2] :, None]
    scores = q @ keys.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
