"""The borders in float64 and torch.bucketize; the bias by one-hot rows and einsum, so that a matrix product makes it."""

import torch


def shaw_index(relative, k):
    return relative.add(k).clamp_(min=0, max=2 * k)


def t5_bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    side = num_buckets // 2 if bidirectional else num_buckets
    e = side // 2
    exponents = torch.arange(1, side - e, dtype=torch.float64) / (side - e)
    borders = torch.cat([torch.arange(1, e + 1).double(), e * (max_distance / e) ** exponents])
    behind = torch.bucketize((-relative).clamp(min=0).double(), borders, right=True)
    if bidirectional:
        ahead = torch.bucketize(relative.clamp(min=0).double(), borders, right=True)
        return torch.where(relative > 0, ahead + side, behind)
    return behind


def t5_bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    offsets = torch.arange(t_q).unsqueeze(1) + (t_k - t_q)
    buckets = t5_bucket(torch.arange(t_k).unsqueeze(0) - offsets, len(table), max_distance, bidirectional)
    chosen = torch.nn.functional.one_hot(buckets, len(table)).to(table.dtype)
    return torch.einsum("qkn,nh->hqk", chosen, table)
