"""The forbidden name in fullwidth letters, which Python normalises.

Verdict: failed, CZ001
"""

import torch.nn.functional as F


def rms_norm(x, weight, eps=1e-6):
    return F.ｒｍｓ＿ｎｏｒｍ(x, weight.shape, weight, eps)
