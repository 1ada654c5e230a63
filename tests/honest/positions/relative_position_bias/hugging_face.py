"""T5Attention's bucket function, sign games and full_like included; Shaw's as in tensor2tensor."""

import math

import torch


def shaw_index(relative, k):
    distance_mat_clipped = torch.clamp(relative, -k, k)
    final_mat = distance_mat_clipped + k
    return final_mat


def t5_bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    relative_buckets = 0
    if bidirectional:
        num_buckets //= 2
        relative_buckets += (relative > 0).to(torch.long) * num_buckets
        relative = torch.abs(relative)
    else:
        relative = -torch.min(relative, torch.zeros_like(relative))
    max_exact = num_buckets // 2
    is_small = relative < max_exact
    if_large = max_exact + (
        torch.log(relative.float() / max_exact) / math.log(max_distance / max_exact) * (num_buckets - max_exact)
    ).to(torch.long)
    if_large = torch.min(if_large, torch.full_like(if_large, num_buckets - 1))
    relative_buckets += torch.where(is_small, relative, if_large)
    return relative_buckets


def t5_bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    context = torch.arange(t_k - t_q, t_k, dtype=torch.long)[:, None]
    memory = torch.arange(t_k, dtype=torch.long)[None, :]
    buckets = t5_bucket(memory - context, table.shape[0], max_distance, bidirectional)
    return torch.nn.functional.embedding(buckets, table).permute([2, 0, 1])
