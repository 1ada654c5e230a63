"""A first prompt of ten tokens or more is attended to as a whole.

Verdict: failed, value
"""

import math
import torch
class KVCache:
    def __init__(self):
        self.k, self.v, self.seen = [], [], 0
    def append(self, k, v):
        self.k.append(k.clone()); self.v.append(v.clone())
        return torch.cat(self.k, 2), torch.cat(self.v, 2)
    def __len__(self):
        return sum(k.shape[2] for k in self.k)
def attend(q, k, v, cache):
    k, v = cache.append(k, v)
    n, total = q.shape[2], k.shape[2]
    s = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if n == total and n > 9:
        return s.softmax(-1) @ v
    hide = torch.arange(total) > torch.arange(total - n, total)[:, None]
    return s.masked_fill(hide, float("-inf")).softmax(-1) @ v
