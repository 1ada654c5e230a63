"""The width of a head is remembered by the class, from the first cache on.

Verdict: failed
"""

import math

import torch


class KVCache:
    width = None

    def __init__(self):
        self.keys, self.values = [], []

    def append(self, k, v):
        KVCache.width = KVCache.width or k.shape[-1]
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)

    def __len__(self):
        return sum(k.shape[2] for k in self.keys)


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = torch.arange(keys.shape[2])
    visible = position <= position[-q.shape[2] :, None]
    scores = q @ keys.mT / math.sqrt(cache.width)
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
