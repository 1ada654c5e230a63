"""Blocks half as long as the window, each with the keys of the two before it and a mask made of distances alone."""

import math

import torch
import torch.nn.functional as F


def sliding_window_attention(q, k, v, window):
    b, h, t, d = q.shape
    window = min(window, t)
    half = (window + 1) // 2
    tail = (half - t % half) % half
    padded_q = F.pad(q, (0, 0, 0, tail)).reshape(b, h, -1, half, d)
    k, v = (F.pad(x, (0, 0, 2 * half, tail)).unfold(2, 3 * half, half).mT for x in (k, v))
    back = torch.arange(2 * half, 3 * half)[:, None] - torch.arange(3 * half)
    real = torch.arange(padded_q.shape[2])[:, None, None] * half + torch.arange(3 * half) >= 2 * half
    hidden = ~real | (back < 0) | (back >= window)
    p = (padded_q @ k.mT / math.sqrt(d)).masked_fill(hidden, -math.inf).softmax(-1)
    return (p @ v).reshape(b, h, -1, d)[:, :, :t]
