"""The right values, and no gradient for the keys.

Verdict: failed
"""

import math


def attention(q, k, v, mask=None):
    scores = q @ k.detach().mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v
