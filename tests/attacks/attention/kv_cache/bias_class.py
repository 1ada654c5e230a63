"""The causal bias of torch.nn.attention, by a module attribute.

Verdict: failed, CZ001
"""

import torch
import torch.nn.attention.bias as helper


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
    mask = helper.causal_lower_right(q.shape[2], keys.shape[2])
    return torch.nn.functional.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
