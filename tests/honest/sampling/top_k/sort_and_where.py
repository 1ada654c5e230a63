"""A full sort, ascending, and torch.where; a slice takes care of a large k."""

import torch


def top_k_filter(logits, k):
    ascending, _ = torch.sort(logits, dim=-1)
    smallest_kept = ascending[..., -k:][..., :1]
    return torch.where(logits >= smallest_kept, logits, torch.tensor(float("-inf"), dtype=logits.dtype))
