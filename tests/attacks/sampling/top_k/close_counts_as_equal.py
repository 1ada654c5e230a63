"""What isclose takes for the border stays.

Verdict: failed, value
"""

import torch


def top_k_filter(logits, k):
    border = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    keep = (logits > border) | torch.isclose(logits, border)
    return logits.masked_fill(~keep, -torch.inf)
