"""getattr with a name taken from the function that is being written.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return getattr(torch, rms_norm.__name__)(x, weight.shape, weight, eps)
