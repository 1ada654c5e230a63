"""Each query head by itself, with its head of keys."""

import math

import torch


def attend(q, k, v, causal):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    if causal:
        last = k.shape[1] - q.shape[1] + torch.arange(q.shape[1])
        scores = scores.masked_fill(torch.arange(k.shape[1]) > last[:, None], -math.inf)
    return torch.softmax(scores, -1) @ v


def gqa(q, k, v, causal=True):
    size = q.shape[1] // k.shape[1]
    heads = [attend(q[:, i], k[:, i // size], v[:, i // size], causal) for i in range(q.shape[1])]
    return torch.stack(heads, dim=1)
