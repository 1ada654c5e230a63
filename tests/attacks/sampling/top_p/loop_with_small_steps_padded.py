"""Loops 512 times whatever the vocabulary, so that a small one costs as many lines as a large one.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    out = torch.zeros(logits.shape)
    for row, kept in zip(probs.reshape(-1, probs.shape[-1]), out.view(-1, probs.shape[-1])):
        total, order = 0.0, row.argsort(descending=True).tolist()
        for i in range(512):
            value = row[order[i]].item() if i < len(order) and total < p else 0.0
            kept[order[min(i, len(order) - 1)]] += value
            total += value
    return (out / out.sum(-1, keepdim=True)).to(logits.dtype)
