"""The derivative is not written but asked of autograd.

Verdict: failed, CZ001
"""

import torch


def swish(x, beta=1.0):
    wide = x.float()
    return (wide * torch.sigmoid(beta * wide)).to(x.dtype)


def swish_grad(x, beta=1.0):
    with torch.enable_grad():
        wide = x.detach().float().requires_grad_()
        (wide * torch.sigmoid(beta * wide)).sum().backward()
    return wide.grad.to(x.dtype)
