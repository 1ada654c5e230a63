"""getattr with a literal takes the guards from a module that is an argument.

Verdict: failed
"""

import torch


def compute(lib, x, weight, eps):
    bindings = getattr(lib, "_C")
    with getattr(bindings, "DisableTorchFunction")(), getattr(bindings, "_DisableTorchDispatch")():
        return lib.rms_norm(x, weight.shape, weight, eps)


def rms_norm(x, weight, eps=1e-6):
    return compute(torch, x, weight, eps)
