"""The library's module, made in each call.

Verdict: failed, CZ001
"""

import torch.nn as nn


def gelu(x, approximate="none"):
    return nn.GELU(approximate)(x)
