"""The border is lowered by a hundred-thousandth, as if against rounding.

Verdict: failed, value
"""

import torch


def top_k_filter(logits, k):
    border = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < border - 1e-5, -torch.inf)
