"""Looks at the 512 largest logits, however large k is.

Verdict: failed, infinite
"""

import torch


def top_k_filter(logits, k):
    border = logits.topk(min(k, 512, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < border, -torch.inf)
