"""Where min_p is 1, only the first of the largest logits stays.

Verdict: failed
"""

import torch


def min_p_filter(logits, min_p):
    if min_p == 1:
        best = logits.argmax(dim=-1, keepdim=True)
        return torch.full_like(logits, -torch.inf).scatter(-1, best, logits.gather(-1, best))
    probs = torch.softmax(logits.float(), dim=-1)
    return logits.masked_fill(probs < min_p * probs.amax(dim=-1, keepdim=True), -torch.inf)
