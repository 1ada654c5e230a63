"""tril with a diagonal for the past, a loop over the sequences; the least number of the dtype, then zeros."""

import torch


def make_mask(lengths, t_q, t_k, causal, offset=0):
    mask = torch.ones(len(lengths), 1, t_q, t_k, dtype=torch.bool)
    if causal:
        mask = torch.tril(mask, diagonal=offset)
    for row, length in zip(mask, lengths.tolist()):
        row[..., length:] = False
    return mask


def masked_softmax(scores, mask):
    least = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, least), dim=-1)
    return weights * mask
