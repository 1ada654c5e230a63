"""The module is an attribute of a SimpleNamespace.

Verdict: failed
"""

from types import SimpleNamespace

import torch

tools = SimpleNamespace(lib=torch)


def rms_norm(x, weight, eps=1e-6):
    return tools.lib.rms_norm(x, weight.shape, weight, eps)
