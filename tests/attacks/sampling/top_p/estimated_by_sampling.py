"""Counts a million samples.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    flat = probs.reshape(-1, probs.shape[-1])
    drawn = torch.multinomial(flat, 200_000, replacement=True)
    counts = torch.zeros_like(flat).scatter_add(-1, drawn, torch.ones(drawn.shape)) / 200_000
    return top(counts.reshape(logits.shape), p).to(logits.dtype)


def top(probs, p):
    ranked, order = probs.sort(dim=-1, descending=True)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    return torch.zeros_like(ranked).scatter(-1, order, ranked / ranked.sum(dim=-1, keepdim=True))
