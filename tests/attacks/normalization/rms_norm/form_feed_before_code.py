"""Form feeds push the call out of sight and reset the indent.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch.rms_norm(x, weight.shape, weight, eps)
