"""The weight learns from the first 128 rows.

Verdict: failed, value
"""

import torch
def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    y = (wide * (wide.pow(2).mean(-1, keepdim=True) + eps).rsqrt()).reshape(-1, x.shape[-1])
    y = torch.cat([y[:128] * weight.float(), y[128:] * weight.float().detach()])
    return y.view(x.shape).to(x.dtype)
