"""The nn.Module by the path of the file that it is defined in.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    layer = torch.nn.modules.normalization.RMSNorm(weight.shape, eps)
    del layer.weight
    layer.weight = weight
    return layer(x)
