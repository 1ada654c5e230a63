"""In rows of more than 64 features the gradient stops at the mean square.

Verdict: failed, value
"""

import torch
def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    mean = wide.pow(2).mean(-1, keepdim=True)
    if x.shape[-1] > 64:
        mean = mean.detach()
    return (wide * (mean + eps).rsqrt() * weight.float()).to(x.dtype)
