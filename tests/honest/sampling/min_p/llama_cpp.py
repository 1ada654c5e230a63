"""As in llama.cpp: nothing to do at zero, the smallest logit allowed in float64, one row after the other."""
import math

import torch


def one(row: torch.Tensor, p: float) -> torch.Tensor:
    min_logit = row.double().max().item() + math.log(p)
    return row.masked_fill(row.double() < min_logit, -math.inf)


def min_p_filter(logits: torch.Tensor, min_p: float) -> torch.Tensor:
    if min_p <= 0.0 or logits.numel() == 0:
        return logits.clone()
    if logits.ndim == 1:
        return one(logits, min_p)
    return torch.stack(tuple(one(row, min_p) for row in logits))
