"""importlib with a path that is put together.

Verdict: failed
"""

import importlib

F = importlib.import_module("torch.nn." + "functional")


def rms_norm(x, weight, eps=1e-6):
    return F.rms_norm(x, weight.shape, weight, eps)
