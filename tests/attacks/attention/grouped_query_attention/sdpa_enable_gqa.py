"""torch's own attention knows groups.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F


def gqa(q, k, v, causal=True):
    mask = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(k.shape[2] - q.shape[2]) if causal else None
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
