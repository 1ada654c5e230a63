"""The operator from the registry of TorchScript.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    operation, _ = torch._C._jit_get_operation("aten::rms_norm")
    return operation(x, weight.shape, weight, eps)
