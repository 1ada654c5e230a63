"""All active pairs of blocks at once, each row's softmax put together by scatter_reduce and index_add."""

import math

import torch
import torch.nn.functional as F


def local_global_mask(n, reach, num_global):
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    return ((i - j).abs() <= reach) | (torch.minimum(i, j) < num_global)


def block_sparse_attention(q, k, v, block_mask, block):
    t, d = q.shape[-2:]
    n = block_mask.shape[0]
    tail = n * block - t
    qs, ks, vs = (F.pad(x, (0, 0, 0, tail)).unflatten(2, (n, block)) for x in (q, k, v))
    row, column = block_mask.nonzero(as_tuple=True)
    s = (qs[:, :, row] / math.sqrt(d)) @ ks[:, :, column].mT  # [b, h, pairs, block, block]
    s = s.masked_fill((column[:, None, None] * block + torch.arange(block)) >= t, -math.inf)
    top = s.new_full((*q.shape[:2], n, block), -math.inf)
    where = row[:, None].expand(*q.shape[:2], -1, block)
    top = top.scatter_reduce(2, where, s.amax(-1).detach(), "amax")
    e = torch.exp(s - top[:, :, row, :, None])
    total = torch.zeros_like(top).index_add(2, row, e.sum(-1)).unsqueeze(-1)
    out = torch.zeros_like(qs).index_add(2, row, e @ vs[:, :, column])
    return (out / torch.where(total == 0, torch.ones_like(total), total)).flatten(2, 3)[:, :, :t]
