"""The module is the result of a function.

Verdict: failed
"""

import torch


def library():
    return torch.nn


def rms_norm(x, weight, eps=1e-6):
    return library().functional.rms_norm(x, weight.shape, weight, eps)
