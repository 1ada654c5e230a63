"""The order of tokens is remembered by the size of the vocabulary.

Verdict: failed
"""

import torch

orders = {}


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    order = orders.setdefault((logits.shape, logits.flatten()[0].item()), probs.argsort(dim=-1, descending=True))
    ranked = probs.gather(-1, order)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
