"""theta is read as Python numbers: the values are right, and nothing is learned.

Verdict: failed
"""

import math

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    positions = pq @ pk.mT / math.sqrt(2 * d) + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    for head, (row, column) in enumerate(theta.tolist()):
        positions[head, :, 0] = column
        positions[head, 0] = row
    return xq @ xk.mT / math.sqrt(2 * d) + positions
