"""The binding in torch._C._VariableFunctions.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch._C._VariableFunctions.rms_norm(x, weight.shape, weight, eps)
