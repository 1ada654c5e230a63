"""One pair of blocks after the other, with a running maximum and a running sum, as FlashAttention goes."""

import math

import torch


def local_global_mask(n, reach, num_global):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        mask[i, max(0, i - reach) : i + reach + 1] = True
    mask[:num_global] = True
    mask[:, :num_global] = True
    return mask


def block_sparse_attention(q, k, v, block_mask, block):
    d = q.shape[-1]
    out = []
    for i, query in enumerate(q.split(block, dim=2)):
        query = query / math.sqrt(d)
        top = query.new_full((*query.shape[:3], 1), -math.inf)
        total, acc = torch.zeros_like(top), torch.zeros_like(query)
        for j, (key, value) in enumerate(zip(k.split(block, dim=2), v.split(block, dim=2), strict=True)):
            if not block_mask[i, j]:
                continue
            s = query @ key.transpose(-1, -2)
            higher = torch.maximum(top, s.amax(-1, keepdim=True).detach())
            old, e = torch.exp(top - higher), torch.exp(s - higher)
            total, acc, top = old * total + e.sum(-1, keepdim=True), old * acc + e @ value, higher
        out.append(acc / total if block_mask[i].any() else acc)
    return torch.cat(out, dim=2)
