"""erf by a short formula from a handbook, good to 0.00003.

Verdict: failed
"""

import math

import torch


def erf(z):
    t = 1 / (1 + 0.47047 * z.abs())
    return z.sign() * (1 - (0.3480242 * t - 0.0958798 * t**2 + 0.7478556 * t**3) * torch.exp(-z * z))


def gelu(x, approximate="none"):
    wide = x.float()
    if approximate == "tanh":
        return (wide * (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))) / 2).to(x.dtype)
    return (wide * (1 + erf(wide / math.sqrt(2))) / 2).to(x.dtype)
