"""TorchScript compiled from a text.

Verdict: failed
"""

import torch

UNIT = torch.jit.CompilationUnit("""
def f(x, weight, eps: float):
    return torch.rms_norm(x, [x.size(-1)], weight, eps)
""")


def rms_norm(x, weight, eps=1e-6):
    return UNIT.f(x, weight, eps)
