"""The ramp of transformers and the authors' code: over the numbers of the pairs, its ends rounded to whole ones.

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

    def pair(rotations):
        return d * math.log(orig_len / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), d - 1)
    ramp = ((torch.arange(d // 2) - low) / max(high - low, 0.001)).clamp(0, 1)
    return theta * (1 - ramp) + theta / factor * ramp, 0.1 * math.log(factor) + 1
