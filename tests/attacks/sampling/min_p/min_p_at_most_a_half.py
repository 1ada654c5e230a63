"""A min_p above a half is taken for a half.

Verdict: failed
"""

import torch


def min_p_filter(logits, min_p):
    probs = torch.softmax(logits.float(), dim=-1)
    border = min(min_p, 0.5) * probs.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probs < border, -torch.inf)
