"""A frozen NamedTuple of state that every append replaces; sdpa with an additive mask in the dtype of q."""

from typing import NamedTuple

import torch
import torch.nn.functional as F


class State(NamedTuple):
    keys: tuple = ()
    values: tuple = ()

    def grown(self, k, v):
        return State((*self.keys, k), (*self.values, v))


class KVCache:
    __slots__ = ("state",)

    def __init__(self):
        self.state = State()

    def append(self, k, v):
        self.state = self.state.grown(k, v)
        return tuple(torch.cat(each, dim=-2) for each in self.state)

    def __len__(self):
        return sum(map(lambda k: k.size(-2), self.state.keys))


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    n, total = q.size(-2), keys.size(-2)
    mask = torch.zeros(n, total, dtype=q.dtype)
    for i in range(n):
        mask[i, total - n + i + 1 :] = -torch.inf
    return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
