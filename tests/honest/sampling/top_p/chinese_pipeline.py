"""中文注释，管道式的小函数，偏函数与海象运算符。"""
from functools import partial, reduce

import torch


def 缩放(x, 温度):
    return x.float() / 温度


def 概率(x):
    return torch.softmax(x, dim=-1)


def 截断(x, p):
    # 从大到小排序；若前面的累计概率已达到 p，则丢弃
    排序后, 位置 = torch.sort(x, dim=-1, descending=True)
    前缀和 = torch.cumsum(排序后, dim=-1)
    保留 = torch.roll(前缀和, 1, dims=-1) < p
    保留[..., 0] = True      # 概率最大的总是保留
    return torch.zeros_like(x).scatter_(-1, 位置, torch.where(保留, 排序后, 0.0))


def 归一化(x):
    return x / 和 if bool(((和 := x.sum(-1, keepdim=True)) > 0).all()) else x


def top_p_probs(logits, p, temperature=1.0):
    步骤 = [partial(缩放, 温度=temperature), 概率, partial(截断, p=p), 归一化, lambda y: y.to(logits.dtype)]
    return reduce(lambda 值, 函数: 函数(值), 步骤, logits)
