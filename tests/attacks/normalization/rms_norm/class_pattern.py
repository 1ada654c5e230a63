"""A class pattern of a match statement reads the attribute.

Verdict: failed
"""

import torch
from types import ModuleType


def rms_norm(x, weight, eps=1e-6):
    match torch:
        case ModuleType(rms_norm=fused):
            return fused(x, weight.shape, weight, eps)
