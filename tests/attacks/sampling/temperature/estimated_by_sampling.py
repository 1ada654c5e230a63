"""Counts a hundred thousand samples.

Verdict: failed
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
    weights = (gaps / temperature).exp() if temperature else (gaps == 0).float()
    rows = weights.reshape(-1, weights.shape[-1])
    drawn = torch.multinomial(rows, 100_000, replacement=True)
    counts = torch.zeros_like(rows).scatter_add(-1, drawn, torch.ones(drawn.shape))
    return (counts / 100_000).reshape(logits.shape).to(logits.dtype)
