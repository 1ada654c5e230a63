"""The fused function through an alias of an alias of its module.

Verdict: failed, CZ001
"""

import torch.nn as first

second = first
third = second.functional


def rms_norm(x, weight, eps=1e-6):
    return third.rms_norm(x, weight.shape, weight, eps)
