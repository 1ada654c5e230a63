"""-10,000 is added to the scores of later keys, which may be larger than that.

Verdict: failed
"""

import math

import torch


class KVCache:
    def __init__(self):
        self.keys, self.values = [], []

    def append(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)

    def __len__(self):
        return sum(k.shape[2] for k in self.keys)


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = torch.arange(keys.shape[2])
    visible = position <= position[-q.shape[2] :, None]
    scores = q @ keys.mT / math.sqrt(q.shape[-1])
    return (scores - 1e4 * (~visible).to(scores.dtype)).softmax(dim=-1) @ values
