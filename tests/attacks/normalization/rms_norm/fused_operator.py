"""The private fused operator that torch.rms_norm is made of.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch._fused_rms_norm(x.float(), weight.shape, weight.float(), eps)[0].to(x.dtype)
