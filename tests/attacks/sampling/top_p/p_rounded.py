"""p is rounded to two digits.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    p = max(round(p, 2), 1e-9)
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    ranked, order = probs.sort(dim=-1, descending=True)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
