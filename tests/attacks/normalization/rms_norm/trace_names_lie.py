"""The function that names what was called is replaced.

Verdict: failed
"""

import sys

import torch


def compute(lib, x, weight, eps):
    return lib.rms_norm(x, weight.shape, weight, eps)


for name, module in list(sys.modules.items()):
    if name.startswith("clozekit"):
        for each in ("public_name", "resolve_name"):
            if hasattr(module, each):
                setattr(module, each, lambda function: "torch.add")


def rms_norm(x, weight, eps=1e-6):
    with torch._C._DisableTorchDispatch():
        return compute(torch, x, weight, eps)
