"""getattr with the forbidden name as text.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return getattr(torch, "rms_norm")(x, weight.shape, weight, eps)
