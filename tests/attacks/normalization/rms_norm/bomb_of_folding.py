"""Constants that the compiler would fold to gigabytes.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    if x is None:
        return (1 << 1 << 40, "a" * 10**10, (0,) * 10**10, 10**10**10)
    return torch.zeros_like(x)
