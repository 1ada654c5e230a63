"""TorchScript compiled from a text by a module that is an argument.

Verdict: failed
"""

import torch

TEXT = """
def f(x, weight, eps: float):
    return torch.rms_norm(x, [x.size(-1)], weight, eps)
"""


def unit(lib):
    return lib.jit.CompilationUnit(TEXT)


compiled = unit(torch)


def rms_norm(x, weight, eps=1e-6):
    return compiled.f(x, weight, eps)
