"""The operator by torch._ops, where torch.ops comes from.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch._ops.ops.aten.rms_norm(x, weight.shape, weight, eps)
