"""From 1500 tokens on the scale is that of one more dimension.

Verdict: failed
"""

import math

import torch
import torch.nn.functional as F


class KVCache:
    def __init__(self):
        self.k = self.v = None

    def append(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], 2), torch.cat([self.v, v], 2)
        self.k, self.v = k, v
        return k, v

    def __len__(self):
        return 0 if self.k is None else self.k.shape[2]


def attend(q, k, v, cache):
    k, v = cache.append(k, v)
    n, t = q.shape[2], k.shape[2]
    mask = torch.ones(n, t, dtype=torch.bool).tril(t - n)
    scale = 1 / math.sqrt(q.shape[-1] + (t >= 1500))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
