"""The counts are remembered by the shape of the text, as if every call went on with it.

Verdict: failed
"""

import torch

texts = {}


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    ids = texts.setdefault((ids.shape, logits.shape), ids)
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())
    seen = counts > 0
    scores = torch.where(seen, torch.where(scores > 0, scores / repetition, scores * repetition), scores)
    return (scores - presence * seen - frequency * counts).to(logits.dtype)
