"""The derivative as in the paper, from swish itself; σ as a tanh."""

import torch


def gate(x, beta):
    return 0.5 * (1 + torch.tanh(0.5 * beta * x))


def swish(x, beta=1.0):
    x32 = x.float()
    return (x32 * gate(x32, beta)).type_as(x)


def swish_grad(x, beta=1.0):
    x32 = x.float()
    sig = torch.special.expit(beta * x32)
    f = beta * x32 * sig
    return (f + sig * (1 - f)).type_as(x)
