"""Right for one and two axes; of more it takes the first matrix.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    if logits.dim() > 2:
        return top_p_probs(logits[0], p, temperature).expand(logits.shape)
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    ranked, order = probs.sort(dim=-1, descending=True)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
