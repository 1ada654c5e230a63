## vim: set fileencoding=utf_16 :
"""The cookie stands on the second line, behind a form feed and a vim modeline.

Verdict: failed, cookie
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch.rms_norm(x, weight.shape, weight, eps)
