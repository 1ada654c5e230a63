"""Keeps the last 2048 tokens.

Verdict: failed, value
"""

import math
import torch
class KVCache:
    def __init__(self):
        self.k = self.v = None
    def append(self, k, v):
        self.k = k.clone() if self.k is None else torch.cat([self.k, k], 2)[:, :, -2048:]
        self.v = v.clone() if self.v is None else torch.cat([self.v, v], 2)[:, :, -2048:]
        return self.k.clone(), self.v.clone()
    def __len__(self):
        return 0 if self.k is None else self.k.shape[2]
def attend(q, k, v, cache):
    k, v = cache.append(k, v)
    n, total = q.shape[2], k.shape[2]
    s = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    pos = torch.arange(total - n, total)[:, None]
    hide = torch.arange(total) > pos
    return s.masked_fill(hide, float("-inf")).softmax(-1) @ v
