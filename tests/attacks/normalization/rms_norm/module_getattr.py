"""The submission's own module gets a __getattr__ that looks names up in torch.

Verdict: failed
"""

import sys

import torch


def __getattr__(name):
    return torch.__dict__[name]


me = sys.modules[__name__]


def rms_norm(x, weight, eps=1e-6):
    return me.__getattr__("rms_norm")(x, weight.shape, weight, eps)
