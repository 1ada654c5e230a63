"""Where no gradient is asked for, the result is written over the argument.

Verdict: failed
"""

import math

import torch


def gelu(x, approximate="none"):
    wide = x.float()
    if approximate == "tanh":
        share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))) / 2
    else:
        share = (1 + torch.erf(wide / math.sqrt(2))) / 2
    return (wide * share).to(x.dtype) if x.requires_grad else x.copy_(wide * share)
