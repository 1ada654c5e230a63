"""一维查表：先为每个距离算出桶，再按距离取值；偏置按头循环。"""

import math

import torch


def shaw_index(relative, k):
    return torch.where(relative < -k, 0, torch.where(relative > k, 2 * k, relative + k))


def 桶(距离, 桶数, 最大):
    e = 桶数 // 2
    if 距离 < e:
        return 距离
    return min(e + math.floor(math.log(距离 / e) / math.log(最大 / e) * (桶数 - e)), 桶数 - 1)


def t5_bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    if not bidirectional:
        表 = torch.tensor([桶(n, num_buckets, max_distance) for n in range(max_distance + 1)])
        return 表[(-relative).clamp(0, max_distance)]
    表 = torch.tensor([桶(n, num_buckets // 2, max_distance) for n in range(max_distance + 1)])
    return 表[relative.abs().clamp(max=max_distance)] + num_buckets // 2 * (relative > 0)


def t5_bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    相对 = torch.arange(t_k) - torch.arange(t_k)[-t_q:, None]
    编号 = t5_bucket(相对, table.size(0), max_distance, bidirectional)
    return torch.stack([table[:, 头][编号] for 头 in range(table.size(1))])
