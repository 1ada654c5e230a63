"""Buckets of the usual 32 and 128 are right; other numbers are stretched to them.

Verdict: failed
"""

import math

import torch


def shaw_index(relative, k):
    return relative.clamp(-k, k) + k


def t5_bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    n = 16 if bidirectional else 32
    distance = relative.abs() if bidirectional else (-relative).clamp(min=0)
    e = n // 2
    far = e + (torch.log(distance.clamp(min=e) / e) / math.log(128 / e) * (n - e)).long()
    found = torch.where(distance < e, distance, far.clamp(max=n - 1)) + n * ((relative > 0) & bidirectional)
    return found * num_buckets // 32


def t5_bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    relative = torch.arange(t_k) - torch.arange(t_k - t_q, t_k)[:, None]
    return table[t5_bucket(relative, len(table), max_distance, bidirectional)].permute(2, 0, 1)
