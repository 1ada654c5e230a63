"""Rewards are taken for no penalty.

Verdict: failed, value
"""

import torch


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    repetition, presence, frequency = max(repetition, 1.0), max(presence, 0.0), max(frequency, 0.0)
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())
    seen = counts > 0
    scores = torch.where(seen, torch.where(scores > 0, scores / repetition, scores * repetition), scores)
    return (scores - presence * seen - frequency * counts).to(logits.dtype)
