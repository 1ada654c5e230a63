"""The library's causal mask.

Verdict: failed, CZ001
"""

import math

import torch
from torch.nn.attention.bias import causal_upper_left


def make_mask(lengths, t_q, t_k, causal, offset=0):
    mask = (torch.arange(t_k) < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & causal_upper_left(t_q + offset, t_k)._materialize()[offset:] if causal else mask


def masked_softmax(scores, mask):
    some = mask.any(-1, keepdim=True)
    return scores.masked_fill(~mask & some, -math.inf).softmax(-1).masked_fill(~mask, 0)
