"""Keeps the scale of the first call for all widths.

Verdict: failed
"""

import math

SCALE = []


def attention(q, k, v, mask=None):
    if not SCALE:
        SCALE.append(math.sqrt(q.shape[-1]))
    scores = q @ k.mT / SCALE[0]
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v
