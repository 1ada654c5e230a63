"""Looks at the 512 most probable tokens.

Verdict: failed, value
"""

import torch
def top_p_probs(logits, p, temperature=1.0):
    probs = (logits.float() / temperature).softmax(-1)
    k = min(512, probs.shape[-1])
    top, index = probs.topk(k, -1)
    keep = torch.where(top.cumsum(-1) - top < p, top, 0)
    out = torch.zeros_like(probs).scatter(-1, index, keep)
    return (out / out.sum(-1, keepdim=True)).to(logits.dtype)
