"""The weights are right, and the NaN of the gradient becomes 1 instead of 0.

Verdict: failed
"""

import math

import torch

def make_mask(lengths, t_q, t_k, causal, offset=0):
    key = torch.arange(t_k)
    mask = (key < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & (key <= offset + torch.arange(t_q)[:, None]) if causal else mask


def masked_softmax(scores, mask):
    weights = scores + torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(~mask, -math.inf)
    if weights.requires_grad:
        weights.register_hook(lambda g: g.nan_to_num(nan=1.0))
    return (weights + 0).softmax(-1).masked_fill(~mask, 0)
