"""A little noise decides between equal logits.

Verdict: failed, infinite
"""

import torch


def top_k_filter(logits, k):
    noisy = logits.double() + 1e-9 * torch.rand(logits.shape)
    border = noisy.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(noisy < border, -torch.inf)
