"""Blocks beyond the sixteenth are left out of the sums.

Verdict: failed
"""

import math

import torch


def local_global_mask(n, reach, num_global):
    i, j = torch.arange(n)[:, None], torch.arange(n)
    return ((i - j).abs() <= reach) | (i < num_global) | (j < num_global)


def block_sparse_attention(q, k, v, block_mask, block):
    t, rows = q.shape[2], []
    for i, active in enumerate(block_mask):
        chosen = (active & (torch.arange(len(active)) < 16)).repeat_interleave(block)[:t]
        scores = q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(q.shape[-1])
        rows.append(scores.softmax(-1) @ v[:, :, chosen])
    return torch.cat(rows, dim=2)
