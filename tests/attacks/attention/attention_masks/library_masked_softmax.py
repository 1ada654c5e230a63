"""The softmax of torch.masked.

Verdict: failed, CZ001
"""

import torch

def make_mask(lengths, t_q, t_k, causal, offset=0):
    key = torch.arange(t_k)
    mask = (key < lengths[:, None, None, None]).repeat(1, 1, t_q, 1)
    return mask & (key <= offset + torch.arange(t_q)[:, None]) if causal else mask


def masked_softmax(scores, mask):
    return torch.masked.softmax(scores, -1, mask=mask).nan_to_num()
