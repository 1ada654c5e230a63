"""Each tile gives (lse, average) of its own; two of them are merged by weights; half precision goes through float64."""

import math
from functools import reduce

import torch


def tile(q, k, v, hidden):
    s = (q @ k.transpose(-1, -2)).masked_fill(hidden, -math.inf)
    m = s.amax(-1, keepdim=True).clamp_min(-1e300)
    p = torch.exp(s - m)
    z = p.sum(-1, keepdim=True)
    return m + torch.log(z), p @ v / z.clamp_min(1e-300)


def merge(a, b):
    (la, oa), (lb, ob) = a, b
    top = torch.maximum(la, lb)
    wa, wb = torch.exp(la - top), torch.exp(lb - top)
    return top + torch.log(wa + wb), (wa * oa + wb * ob) / (wa + wb)


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    averages, sums = [], []
    place = torch.arange(q.shape[2])
    for rows in place.split(block_q):
        queries = q[:, :, rows].double() / math.sqrt(q.shape[3])
        parts = (
            tile(
                queries,
                k[:, :, cols].double(),
                v[:, :, cols].double(),
                (cols > rows[:, None]) if causal else torch.tensor(False),
            )
            for cols in place.split(block_k)
        )
        lse, average = reduce(merge, parts)
        averages.append(average.to(q.dtype))
        sums.append(lse[..., 0].float())
    return torch.cat(averages, 2), torch.cat(sums, 2)
