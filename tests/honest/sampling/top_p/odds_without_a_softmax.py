"""Unnormalised weights exp(logit - max) are enough: compared with p times their total, divided once at the end."""

import torch


def top_p_probs(logits, p, temperature=1.0):
    scores = logits.to(torch.float32) * (1.0 / temperature)
    weights = (scores - scores.max(dim=-1, keepdim=True)[0]).exp()
    ranked, order = weights.sort(-1, True)
    needed = p * ranked.double().sum(-1, keepdim=True)
    inside = ranked.double().cumsum(-1) - ranked < needed
    kept = torch.empty_like(weights).scatter_(-1, order, ranked * inside)
    return (kept / kept.sum(-1, keepdim=True)).to(logits.dtype)
