"""torch.jit.script on the helper that does the arithmetic."""

import torch


@torch.jit.script
def _scale(x: torch.Tensor, eps: float) -> torch.Tensor:
    return torch.rsqrt(torch.mean(x * x, dim=-1, keepdim=True) + eps)


def rms_norm(x, weight, eps=1e-6):
    h = x.float()
    return (h * _scale(h, eps) * weight.float()).to(x.dtype)
