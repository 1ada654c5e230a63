"""Takes the mask of the first sequence for all.

Verdict: failed
"""

import math


def attention(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        if mask.dim() == q.dim() and mask.dim() > 2:
            mask = mask[:1]
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v
