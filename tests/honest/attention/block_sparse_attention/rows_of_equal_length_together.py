"""Rows with the same number of active blocks are computed together."""

import math

import torch
import torch.nn.functional as F


def local_global_mask(n, reach, num_global):
    band = torch.ones(n, n).triu(-reach).tril(reach).bool()
    band[:num_global, :] = band[:, :num_global] = True
    return band


def block_sparse_attention(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    n = len(block_mask)
    q, k, v = (F.pad(x, (0, 0, 0, n * block - t)).reshape(*x.shape[:2], n, block, d) for x in (q, k, v))
    counts, out = block_mask.sum(1), torch.zeros_like(q)
    for count in counts.unique().tolist():
        if count == 0:
            continue
        rows = (counts == count).nonzero().flatten()
        columns = block_mask[rows].nonzero()[:, 1].view(-1, count)
        keys, values = (x[:, :, columns].flatten(3, 4) for x in (k, v))
        padding = (columns[..., None] * block + torch.arange(block) >= t).flatten(1)[:, None]
        scores = (q[:, :, rows] @ keys.mT / math.sqrt(d)).masked_fill(padding, -math.inf)
        out = out.index_copy(2, rows, scores.softmax(-1) @ values)
    return out.flatten(2, 3)[:, :, :t]
