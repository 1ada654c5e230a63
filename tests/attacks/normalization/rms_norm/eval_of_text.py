"""eval of a text.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return eval("torch.rms_norm(x, weight.shape, weight, eps)")
