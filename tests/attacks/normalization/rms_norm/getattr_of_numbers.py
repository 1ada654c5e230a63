"""getattr with a name decoded from numbers.

Verdict: failed
"""

import torch

NAME = bytes([114, 109, 115, 95, 110, 111, 114, 109]).decode()


def rms_norm(x, weight, eps=1e-6):
    return getattr(torch, NAME)(x, weight.shape, weight, eps)
