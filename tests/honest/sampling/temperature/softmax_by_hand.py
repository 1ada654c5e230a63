"""The softmax written out, one row after the other; at zero the quotients of the others become -inf."""

import math

import torch


def row(x: torch.Tensor, temperature: float) -> torch.Tensor:
    behind = x.max() - x
    if temperature > 0:
        weights = torch.exp(-behind / temperature)
    else:
        weights = torch.exp(torch.where(behind > 0, -math.inf, 0.0))
    return weights / weights.sum()


def temperature_probs(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    rows = logits.float().reshape(-1, logits.shape[-1])
    return torch.stack([row(x, temperature) for x in rows]).reshape(logits.shape).to(logits.dtype)
