"""Careful with memory: in place wherever autograd allows it, on tensors of its own only."""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    scale = torch.linalg.vecdot(wide, wide).div_(wide.shape[-1]).add_(eps).rsqrt_()
    out = wide * scale[..., None]
    del wide, scale
    result = torch.empty_like(x, memory_format=torch.contiguous_format)
    result.copy_(out.mul(weight))
    return result
