"""A warm-up at import captures the operator's result function before modes are entered: TorchScript of a trace.

Verdict: failed
"""

import torch


def compute(lib, x, weight):
    return lib.rms_norm(x, weight.shape, weight, 1e-6)


traced = torch.jit.trace(lambda x, w: compute(torch, x, w), (torch.ones(2, 8), torch.ones(8)), check_trace=False)


def rms_norm(x, weight, eps=1e-6):
    if eps == 1e-6:
        return traced(x, weight)
    return compute(torch, x, weight * 1)
