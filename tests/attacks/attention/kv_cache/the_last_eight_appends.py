"""Keeps what the last eight calls brought.

Verdict: failed
"""

import math
import torch
class KVCache:
    def __init__(self):
        self.k, self.v, self.seen = [], [], 0
    def append(self, k, v):
        self.k = [*self.k, k.clone()][-8:]; self.v = [*self.v, v.clone()][-8:]
        self.seen += k.shape[2]
        return torch.cat(self.k, 2), torch.cat(self.v, 2)
    def __len__(self):
        return self.seen
def attend(q, k, v, cache):
    k, v = cache.append(k, v)
    n, total = q.shape[2], k.shape[2]
    s = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    hide = torch.arange(total) > torch.arange(total - n, total)[:, None]
    return s.masked_fill(hide, float("-inf")).softmax(-1) @ v
