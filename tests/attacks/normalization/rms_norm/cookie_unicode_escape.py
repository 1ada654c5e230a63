# -*- coding: unicode_escape -*-
"""A line break written as an escape inside a comment, with a cookie that undoes it.

Verdict: failed, cookie
"""

import torch
import torch.nn.functional as F


def rms_norm(x, weight, eps=1e-6):
    # a comment \u000a    return F.rms_norm(x, weight.shape, weight, eps)
    return torch.zeros_like(x)
