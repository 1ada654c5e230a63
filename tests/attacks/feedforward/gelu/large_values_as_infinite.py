"""From 100 on, the result is 100: a clamp against an overflow that there is not.

Verdict: failed
"""

import math

import torch


def gelu(x, approximate="none"):
    wide = x.float().clamp(-100, 100)
    if approximate == "tanh":
        share = (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))) / 2
    else:
        share = (1 + torch.erf(wide / math.sqrt(2))) / 2
    return (wide * share).to(x.dtype)
