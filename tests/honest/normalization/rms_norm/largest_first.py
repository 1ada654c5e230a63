"""As careful as hypot: each row is divided by its largest element before it is squared; zero rows by 1."""

import torch


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    wide = x.float()
    largest = wide.detach().abs().amax(dim=-1, keepdim=True)
    largest = torch.where(largest > 0, largest, torch.ones_like(largest))
    small = wide / largest
    root = (torch.mean(small**2, dim=-1, keepdim=True) + eps / largest.double().square()).sqrt().float()
    return ((small / root) * weight.float()).to(x.dtype)
