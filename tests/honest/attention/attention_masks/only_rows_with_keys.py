"""Computes the rows that have a key, and puts them into zeros."""

import torch


def make_mask(lengths, t_q, t_k, causal, offset=0):
    last = torch.full((t_q,), t_k - 1) if not causal else torch.arange(offset, offset + t_q)
    ends = torch.minimum(lengths[:, None], last + 1)  # [b, t_q], how many keys each query sees
    return torch.arange(t_k).expand(len(lengths), 1, t_q, t_k) < ends[:, None, :, None]


def masked_softmax(scores, mask):
    mask = mask.expand_as(scores)
    has_keys = mask.any(-1)
    result = torch.zeros_like(scores)
    rows = scores[has_keys].masked_fill(~mask[has_keys], -torch.inf)
    result[has_keys] = torch.softmax(rows, -1)
    return result
