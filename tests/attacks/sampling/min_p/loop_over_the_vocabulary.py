"""Asks every token by itself whether it stays.

Verdict: failed, steps
"""

import torch


def min_p_filter(logits, min_p):
    probs = torch.softmax(logits.float(), dim=-1).reshape(-1, logits.shape[-1])
    out = logits.clone().reshape(probs.shape)
    for row, p in zip(out, probs):
        border = min_p * p.max()
        for i in range(len(p)):
            if p[i] < border:
                row[i] = -torch.inf
    return out.reshape(logits.shape)
