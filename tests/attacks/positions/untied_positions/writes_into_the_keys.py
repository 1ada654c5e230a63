"""The keys of the places lose their first row in the caller's tensor.

Verdict: failed
"""

import math

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    with torch.no_grad():
        pk[:, 0] = 0
    positions = pq @ pk.mT / math.sqrt(2 * d) + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    return xq @ xk.mT / math.sqrt(2 * d) + positions
