"""e^(i angle) by polar: its imaginary part is the sine, its real part the cosine."""

import torch


def sinusoidal(t, d, base=10000.0):
    theta = torch.logspace(0, -2 * ((d - 1) // 2) / d, (d + 1) // 2, base=base)
    angle = torch.outer(torch.arange(t, dtype=torch.float32), theta)
    turned = torch.view_as_real(torch.polar(torch.ones_like(angle), angle))
    return turned.flip(-1).reshape(t, -1)[:, :d].contiguous()
