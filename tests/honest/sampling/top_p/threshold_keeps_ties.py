"""The smallest probability of the nucleus is the threshold; whatever ties with it stays, too."""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = (logits.float() / temperature).softmax(-1)
    ranked = probs.sort(-1, descending=True).values
    before = ranked.cumsum(-1) - ranked
    threshold = ranked.where(before < p, ranked[..., :1]).amin(-1, keepdim=True)
    kept = torch.where(probs >= threshold, probs, 0)
    return kept.div_(kept.sum(-1, keepdim=True)).to(logits.dtype)
