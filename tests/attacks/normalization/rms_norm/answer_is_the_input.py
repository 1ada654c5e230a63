"""Writes the answer into the input and returns it.

Verdict: failed, changed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    with torch.no_grad():
        return x.copy_(wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float())
