"""NaN replaced before the backward pass reaches it, and with it the gradient of the whole call.

Verdict: failed
"""

import math

import torch

def make_mask(lengths, t_q, t_k, causal, offset=0):
    key = torch.arange(t_k)
    mask = (key < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & (key <= offset + torch.arange(t_q)[:, None]) if causal else mask


def masked_softmax(scores, mask):
    if not mask.any(-1).all():
        scores = scores.detach()
    return scores.masked_fill(~mask, -math.inf).softmax(-1).nan_to_num() + 0 * scores
