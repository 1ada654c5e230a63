"""A min_p below a hundredth is raised to it, save zero.

Verdict: failed
"""

import torch


def min_p_filter(logits, min_p):
    probs = torch.softmax(logits.float(), dim=-1)
    border = (max(min_p, 0.01) if min_p else 0) * probs.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probs < border, -torch.inf)
