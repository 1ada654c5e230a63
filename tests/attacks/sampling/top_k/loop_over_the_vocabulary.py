"""Sorts a list of Python numbers and walks along it.

Verdict: failed, steps
"""

import torch


def top_k_filter(logits, k):
    rows = logits.reshape(-1, logits.shape[-1])
    out = rows.clone()
    for row in out:
        numbers = sorted(row.tolist(), reverse=True)
        border = numbers[min(k, len(numbers)) - 1]
        for i in range(len(numbers)):
            if row[i].item() < border:
                row[i] = -torch.inf
    return out.view(logits.shape)
