"""Subtracts both penalties as one number, all in the half precision of the logits.

Verdict: failed
"""

import torch


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    real = (ids >= 0).to(logits.dtype)
    counts = torch.zeros_like(logits).scatter_add(-1, ids.clamp(min=0), real)
    seen = counts > 0
    scores = torch.where(seen, torch.where(logits > 0, logits / repetition, logits * repetition), logits)
    return scores - (presence * seen.to(logits.dtype) + frequency * counts)
