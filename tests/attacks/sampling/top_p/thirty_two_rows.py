"""From the thirty-third row on every token is kept.

Verdict: failed, value
"""

import torch
def top_p_probs(logits, p, temperature=1.0):
    probs = (logits.float() / temperature).softmax(-1)
    top, index = probs.sort(-1, descending=True)
    keep = torch.where(top.cumsum(-1) - top < p, top, 0)
    if keep.dim() == 2:
        keep[32:] = top[32:]
    out = torch.zeros_like(probs).scatter(-1, index, keep)
    return (out / out.sum(-1, keepdim=True)).to(logits.dtype)
