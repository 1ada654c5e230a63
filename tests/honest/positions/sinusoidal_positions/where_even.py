"""One grid of positions and features, a sine where the feature is even and a cosine elsewhere."""

import torch


def sinusoidal(t, d, base=10000.0):
    p, j = torch.meshgrid(torch.arange(t), torch.arange(d), indexing="ij")
    i = torch.div(j, 2, rounding_mode="floor")
    angle = p / torch.pow(torch.tensor(base), 2 * i / d)
    return torch.where(j % 2 == 0, angle.sin(), angle.cos())
