"""A row with any active block is computed as a whole.

Verdict: failed, meter-flops
"""

import math

import torch


def local_global_mask(n, reach, num_global):
    i, j = torch.arange(n)[:, None], torch.arange(n)
    return ((i - j).abs() <= reach) | (i < num_global) | (j < num_global)


def block_sparse_attention(q, k, v, block_mask, block):
    t, rows = q.shape[2], []
    for i, active in enumerate(block_mask):
        part = q[:, :, i * block : (i + 1) * block]
        if not active.any():
            rows.append(torch.zeros_like(part))
            continue
        scores = part @ k.mT / math.sqrt(q.shape[-1])
        rows.append(scores.masked_fill(~active.repeat_interleave(block)[:t], -math.inf).softmax(-1) @ v)
    return torch.cat(rows, dim=2)
