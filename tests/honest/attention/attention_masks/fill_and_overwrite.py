"""Conditions joined in place; the softmax as a method, NaN replaced afterwards."""

import torch


def make_mask(lengths, t_q, t_k, causal, offset=0):
    rows = torch.arange(t_q, device=lengths.device).reshape(1, 1, -1, 1) + offset
    columns = torch.arange(t_k, device=lengths.device).reshape(1, 1, 1, -1)
    mask = torch.ones((lengths.shape[0], 1, t_q, t_k), dtype=torch.bool, device=lengths.device)
    mask &= columns < lengths.reshape(-1, 1, 1, 1)
    if causal:
        mask &= ~(columns > rows)
    return mask


def masked_softmax(scores, mask):
    blocked = torch.where(mask, scores, float("-inf"))
    return torch.nan_to_num(blocked.softmax(-1), nan=0.0)
