"""Never more than two global blocks.

Verdict: failed
"""

import math

import torch


def local_global_mask(n, reach, num_global):
    i, j = torch.arange(n)[:, None], torch.arange(n)
    return ((i - j).abs() <= reach) | (torch.minimum(i, j) < min(num_global, 2))


def block_sparse_attention(q, k, v, block_mask, block):
    t, rows = q.shape[2], []
    for i, active in enumerate(block_mask):
        chosen = active.repeat_interleave(block)[:t]
        scores = q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(q.shape[-1])
        rows.append(scores.softmax(-1) @ v[:, :, chosen])
    return torch.cat(rows, dim=2)
