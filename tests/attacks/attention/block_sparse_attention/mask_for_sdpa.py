"""torch's attention with the mask spelt out for each pair of tokens.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F


def local_global_mask(n, reach, num_global):
    i, j = torch.arange(n)[:, None], torch.arange(n)
    return ((i - j).abs() <= reach) | (i < num_global) | (j < num_global)


def block_sparse_attention(q, k, v, block_mask, block):
    t = q.shape[2]
    mask = block_mask.repeat_interleave(block, 0).repeat_interleave(block, 1)[:t, :t]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
