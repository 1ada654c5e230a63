"""Weights from the logarithm of their sum, in Chinese names, the scale on both sides."""

import torch


def attention(q, k, v, mask=None):
    根 = q.shape[-1] ** 0.25
    分数 = (q / 根) @ (k / 根).swapaxes(-1, -2)
    if mask is not None:
        分数 = 分数.masked_fill(mask == False, float("-inf"))  # noqa: E712
    权重 = (分数 - torch.logsumexp(分数, dim=-1, keepdim=True)).exp()
    return 权重 @ v
