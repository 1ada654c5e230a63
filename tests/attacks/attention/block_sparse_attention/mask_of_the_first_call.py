"""The blocks of the first mask of each size are kept for all later ones.

Verdict: failed
"""

import math

import torch

KEPT = {}


def local_global_mask(n, reach, num_global):
    i, j = torch.arange(n)[:, None], torch.arange(n)
    return ((i - j).abs() <= reach) | (i < num_global) | (j < num_global)


def block_sparse_attention(q, k, v, block_mask, block):
    t, rows = q.shape[2], []
    for i, active in enumerate(KEPT.setdefault((t, block), block_mask)):
        chosen = active.repeat_interleave(block)[:t]
        scores = q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(q.shape[-1])
        rows.append(scores.softmax(-1) @ v[:, :, chosen])
    return torch.cat(rows, dim=2)
