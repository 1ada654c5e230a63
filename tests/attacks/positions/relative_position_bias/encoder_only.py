"""The bias of an encoder for every shape: queries begin at 0, as long as there is no cache.

Verdict: failed
"""

import math

import torch


def shaw_index(relative, k):
    return relative.clamp(-k, k) + k


def t5_bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    n = num_buckets // 2 if bidirectional else num_buckets
    distance = relative.abs() if bidirectional else (-relative).clamp(min=0)
    e = n // 2
    far = e + (torch.log(distance.clamp(min=e) / e) / math.log(max_distance / e) * (n - e)).long()
    return torch.where(distance < e, distance, far.clamp(max=n - 1)) + n * ((relative > 0) & bidirectional)


def t5_bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    places = torch.arange(max(t_q, t_k))
    whole = t5_bucket(places - places[:, None], len(table), max_distance, bidirectional)
    return table[whole[:t_q, :t_k]].permute(2, 0, 1)
