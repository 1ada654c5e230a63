"""Relative positions beyond 8 count as 8.

Verdict: failed
"""

import math

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    positions = pq @ pk.mT / math.sqrt(2 * d)
    positions = positions + rel_bias[:, (place - place[:, None]).clamp(-8, 8) + rel_bias.shape[1] // 2]
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    return xq @ xk.mT / math.sqrt(2 * d) + positions
