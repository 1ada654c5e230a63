"""Counts as a sum over one-hot rows, padding moved to a class of its own; logits split by sign."""
import torch
import torch.nn.functional as F


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    x = logits.float()
    vocab = x.size(-1)
    counts = F.one_hot(ids % (vocab + 1), vocab + 1).sum(-2)[..., :vocab]
    seen = counts.bool()
    positive, negative = x.clamp(min=0), x.clamp(max=0)
    penalised = positive / repetition + negative * repetition - presence - frequency * counts
    return torch.where(seen, penalised, x).to(logits.dtype)
