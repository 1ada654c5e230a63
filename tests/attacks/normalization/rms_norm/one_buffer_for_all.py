"""Every answer of one shape is the same tensor, overwritten by the next call.

Verdict: failed, earlier-result
"""

import torch

buffers = {}


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    answer = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
    if answer.requires_grad:
        return answer
    return buffers.setdefault((x.shape, x.dtype), torch.empty_like(answer)).copy_(answer)
