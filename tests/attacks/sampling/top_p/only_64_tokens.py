"""Looks at the 64 most probable tokens.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    ranked, order = probs.topk(min(64, logits.shape[-1]), dim=-1)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(probs).scatter(-1, order, ranked).to(logits.dtype)
