"""The call is the format width inside an f-string inside an f-string.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    out = []
    f"{f'{0:{(out.append(torch.rms_norm(x, weight.shape, weight, eps)), 1)[1]}}'}"
    return out[0]
