"""The Annotated Transformer's way: exp of a multiple of log(base), filled into zeros by strides; cut for an odd width."""

import math

import torch


def sinusoidal(t, d, base=10000.0):
    pe = torch.zeros(t, d)
    position = torch.arange(0, t).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d, 2) * -(math.log(base) / d))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)[:, : d // 2]
    return pe
