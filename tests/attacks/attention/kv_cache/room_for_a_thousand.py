"""The buffer has room for 1024 tokens, and its length for no more.

Verdict: failed
"""

import math

import torch

ROOM = 1024


class KVCache:
    def __init__(self):
        self.buffers, self.count = None, 0

    def append(self, k, v):
        if self.buffers is None:
            shape = *k.shape[:2], ROOM, k.shape[3]
            self.buffers = k.new_empty(shape), v.new_empty(shape)
        end = min(self.count + k.shape[2], ROOM)
        for buffer, new in zip(self.buffers, (k, v)):
            buffer[:, :, self.count : end] = new[:, :, : end - self.count]
        self.count = end
        return tuple(buffer[:, :, :end].clone() for buffer in self.buffers)

    def __len__(self):
        return self.count


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = torch.arange(keys.shape[2])
    visible = position <= position[-q.shape[2] :, None]
    scores = q @ keys.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
