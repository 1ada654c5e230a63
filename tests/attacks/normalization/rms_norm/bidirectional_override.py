"""Right-to-left marks show another program than the one that runs.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    "‮ honest ⁦"; return torch.rms_norm(x, weight.shape, weight, eps)
