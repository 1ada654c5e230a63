"""torch's attention with a band for its mask.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F


def sliding_window_attention(q, k, v, window):
    t = q.shape[2]
    band = torch.ones(t, t, dtype=torch.bool).tril().triu(1 - window)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=band)
