"""Looks at the last 1024 tokens of a text only.

Verdict: failed, value
"""

import torch


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    scores = logits.float()
    ids = ids[..., -1024:]
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())
    seen = counts > 0
    scores = torch.where(seen, torch.where(scores > 0, scores / repetition, scores * repetition), scores)
    return (scores - presence * seen - frequency * counts).to(logits.dtype)
