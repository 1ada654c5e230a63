"""Scores of more than a thousand are cut off, so that large ones become equal.

Verdict: failed
"""

import math


def attention(q, k, v, mask=None):
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).clamp(-1000, 1000)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v
