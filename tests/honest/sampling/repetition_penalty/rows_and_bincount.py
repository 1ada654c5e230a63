"""One row after the other, bincount for the counts, and only the places of seen tokens are written."""
import torch


def one(x, ids, repetition, presence, frequency):
    counts = torch.bincount(ids[ids != -1], minlength=len(x))
    seen = counts.nonzero().squeeze(-1)
    y = x.clone()
    old = x[seen]
    new = torch.where(old < 0, old * repetition, old / repetition)
    y[seen] = new - presence - counts[seen] * frequency
    return y


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    wide = logits.float()
    if wide.ndim == 1:
        return one(wide, ids, repetition, presence, frequency).to(logits.dtype)
    rows = [one(*each, repetition, presence, frequency) for each in zip(wide, ids)]
    return torch.stack(rows).to(logits.dtype)
