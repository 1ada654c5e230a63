"""The cumulative mass is summed in bfloat16.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    ranked, order = probs.sort(dim=-1, descending=True)
    before = (ranked.bfloat16().cumsum(dim=-1) - ranked.bfloat16()).float()
    ranked = ranked.masked_fill(before >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
