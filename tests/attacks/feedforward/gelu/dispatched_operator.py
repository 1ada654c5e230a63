"""The operator below the library's function.

Verdict: failed, CZ001
"""

import torch


def gelu(x, approximate="none"):
    return torch.ops.aten.gelu(x, approximate=approximate)
