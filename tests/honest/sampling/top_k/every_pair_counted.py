"""A token stays if fewer than k are larger: every pair is compared, row by row."""
import torch


def row(x, k):
    larger = (x.unsqueeze(0) > x.unsqueeze(1)).sum(dim=1)
    out = x.clone()
    out[larger >= k] = -torch.inf
    return out


def top_k_filter(logits, k):
    if logits.dim() == 1:
        return row(logits, k)
    return torch.stack([row(x, k) for x in logits])
