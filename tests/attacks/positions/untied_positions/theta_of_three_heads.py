"""Heads beyond the third have the numbers of the third.

Verdict: failed
"""

import math

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    theta = theta[:, :, None, None][torch.arange(len(theta)).clamp(max=2)]
    positions = pq @ pk.mT / math.sqrt(2 * d) + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    positions = torch.where(place == 0, theta[:, 1], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0], positions)
    return xq @ xk.mT / math.sqrt(2 * d) + positions
