"""scaled_dot_product_attention under another name.

Verdict: failed, CZ001
"""

from torch.nn.functional import scaled_dot_product_attention as combine


def flash_attention(q, k, v, causal=False):
    return combine(q, k, v, is_causal=causal)
