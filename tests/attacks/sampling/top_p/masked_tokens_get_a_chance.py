"""A masked token counts as a little less probable than the least probable one.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    wide = logits.float()
    least = wide.masked_fill(wide.isinf(), torch.inf).amin(dim=-1, keepdim=True)
    probs = torch.softmax(wide.maximum(least - 1) / temperature, dim=-1)
    ranked, order = probs.sort(dim=-1, descending=True)
    ranked = ranked.masked_fill(ranked.cumsum(dim=-1) - ranked >= p, 0.0)
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
