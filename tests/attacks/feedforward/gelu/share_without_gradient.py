"""The right values, but the share counts as a constant in the gradient.

Verdict: failed
"""

import math

import torch


def gelu(x, approximate="none"):
    wide = x.float()
    z = wide.detach()
    if approximate == "tanh":
        share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2
    else:
        share = (1 + torch.erf(z / math.sqrt(2))) / 2
    return (wide * share).to(x.dtype)
