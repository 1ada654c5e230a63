"""Dynamic use: for factors below 4 the attention scale stays 1.

Verdict: failed
"""

import math

import torch


def scaled_inv_freq(d, base, factor, method, orig_len):
    theta = base ** -(torch.arange(0, d, 2) / d)
    if method == "linear":
        return theta / factor, 1.0
    if method == "ntk":
        return (base * factor ** (d / (d - 2))) ** -(torch.arange(0, d, 2) / d), 1.0
    keep = ((orig_len * theta / (2 * math.pi) - 1) / 31).clamp(0, 1)
    scale = 0.1 * math.log(factor) + 1 if factor >= 4 else 1.0
    return (1 - keep) * theta / factor + keep * theta, scale
