"""Positions beyond 8 count as 8.

Verdict: failed
"""

import math

import torch


def make_mask(lengths, t_q, t_k, causal, offset=0):
    key = torch.arange(t_k).clamp(max=8)
    mask = (key < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & (key <= offset + torch.arange(t_q)[:, None]) if causal else mask


def masked_softmax(scores, mask):
    some = mask.any(-1, keepdim=True)
    return scores.masked_fill(~mask & some, -math.inf).softmax(-1).masked_fill(~mask, 0)
