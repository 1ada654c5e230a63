"""The cache as an nn.Module with non-persistent buffers, torch.no_grad decorators."""

import torch
from torch import nn


class KVCache(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("keys", "values"):
            self.register_buffer(name, None, persistent=False)
        self.register_buffer("length", torch.zeros((), dtype=torch.long), persistent=False)

    def __len__(self):
        return int(self.length)

    @torch.no_grad()
    def append(self, k, v):
        self.keys = k if self.keys is None else torch.concat((self.keys, k), axis=2)
        self.values = v if self.values is None else torch.concat((self.values, v), axis=2)
        self.length += k.shape[2]
        return self.keys, self.values


@torch.no_grad()
def attend(q, k, v, cache):
    k, v = cache.append(k, v)
    offset = k.shape[2] - q.shape[2]
    bias = torch.full((q.shape[2], k.shape[2]), -torch.inf, dtype=q.dtype, device=q.device).triu_(offset + 1)
    return torch.softmax(q @ k.mT / k.shape[-1] ** 0.5 + bias, dim=-1) @ v
