"""The inner function of torch's attention, which knows rows without keys.

Verdict: failed, CZ001
"""

import math

import torch

def make_mask(lengths, t_q, t_k, causal, offset=0):
    key = torch.arange(t_k)
    mask = (key < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & (key <= offset + torch.arange(t_q)[:, None]) if causal else mask


def masked_softmax(scores, mask):
    return torch._safe_softmax(scores.masked_fill(~mask, -math.inf), -1)
