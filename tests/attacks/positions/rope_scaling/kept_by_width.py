"""The result for one width and method is kept, whatever base, factor and length come next.

Verdict: failed
"""

import math

import torch

kept = {}


def scaled_inv_freq(d, base, factor, method, orig_len):
    if (d, method) not in kept:
        theta = base ** -(torch.arange(0, d, 2) / d)
        keep = ((orig_len * theta / (2 * math.pi) - 1) / 31).clamp(0, 1)
        kept[d, method] = {
            "linear": theta / factor,
            "ntk": (base * factor ** (d / (d - 2))) ** -(torch.arange(0, d, 2) / d),
            "yarn": (1 - keep) * theta / factor + keep * theta,
        }[method]
    return kept[d, method], 0.1 * math.log(factor) + 1 if method == "yarn" else 1.0
