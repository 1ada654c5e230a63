"""To be on the safe side: float64 for all intermediate steps."""

import torch


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    with torch.autocast("cpu", enabled=False):
        xd, wd = (item.double() for item in (x, weight))
        ms = torch.mean(xd**2, dim=-1, keepdim=True)
        out = xd * (ms + eps) ** -0.5 * wd
    assert out.shape == x.shape
    return out.to(x)
