"""The indices of the first table are kept for each length of text.

Verdict: failed
"""

import math

import torch

KEPT = {}


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    index = KEPT.setdefault(t, place - place[:, None] + rel_bias.shape[1] // 2)
    positions = pq @ pk.mT / math.sqrt(2 * d) + rel_bias[:, index]
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    return xq @ xk.mT / math.sqrt(2 * d) + positions
