"""Equally probable tokens add their mass once.

Verdict: failed
"""

import torch


def row_of(logits, p, temperature):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    levels, place = probs.unique(return_inverse=True)
    falling = levels.flip(0)
    before = (falling.cumsum(dim=0) - falling).flip(0)
    kept = torch.where(before[place] < p, probs, 0.0)
    return kept / kept.sum()


def top_p_probs(logits, p, temperature=1.0):
    if logits.dim() == 1:
        return row_of(logits, p, temperature).to(logits.dtype)
    return torch.stack([row_of(row, p, temperature) for row in logits]).to(logits.dtype)
