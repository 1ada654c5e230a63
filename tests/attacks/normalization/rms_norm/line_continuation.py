"""The forbidden name is torn apart by line continuations.

Verdict: failed, CZ001
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    return torch \
        . \
        nn.functional. \
        rms_norm(x, weight.shape, weight, eps)
