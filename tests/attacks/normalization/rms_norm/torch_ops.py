"""The operator by torch.ops.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch.ops.aten.rms_norm.default(x, weight.shape, weight, eps)
