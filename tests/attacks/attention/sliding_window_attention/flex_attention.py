"""torch's attention that knows windows.

Verdict: failed, CZ001
"""

from torch.nn.attention import flex_attention as flex


def sliding_window_attention(q, k, v, window):
    def near(b, h, i, j):
        return (j <= i) & (i - j < window)

    mask = flex.create_block_mask(near, None, None, q.shape[2], k.shape[2], device="cpu")
    return flex.flex_attention(q, k, v, block_mask=mask)
