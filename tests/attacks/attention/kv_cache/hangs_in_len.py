"""__len__ never answers.

Seconds: 0.5
Verdict: failed, timeout
"""

import math

import torch


class KVCache:
    def append(self, k, v):
        return k, v

    def __len__(self):
        while True:
            pass


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = torch.arange(keys.shape[2])
    visible = position <= position[-q.shape[2] :, None]
    scores = q @ keys.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
