"""Φ from torch.distributions; the tanh form as a sigmoid of twice its argument; early return."""

import torch
from torch.distributions import Normal


def gelu(x, approximate="none"):
    x32 = x.to(torch.float32)
    if approximate == "none":
        cdf = Normal(torch.tensor(0.0), torch.tensor(1.0)).cdf(x32)
        return (x32 * cdf).type_as(x)
    z = (2 / torch.pi) ** 0.5 * x32 * (1 + 0.044715 * x32**2)
    return (x32 * torch.sigmoid(2 * z)).type_as(x)
