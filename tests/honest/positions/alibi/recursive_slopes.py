"""The authors' recursion on lists of Python floats; a mask by triu."""

import math

import torch


def get_slopes(n):
    def power_of_2(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(n).is_integer():
        return power_of_2(n)
    closest = 2 ** math.floor(math.log2(n))
    return power_of_2(closest) + get_slopes(2 * closest)[0::2][: n - closest]


def alibi_slopes(h):
    return torch.tensor(get_slopes(h))


def alibi_bias(h, t_q, t_k):
    relative = torch.arange(t_k)[None, :] - torch.arange(t_k - t_q, t_k)[:, None]
    future = torch.full((t_q, t_k), float("-inf")).triu(t_k - t_q + 1)
    return alibi_slopes(h).view(h, 1, 1) * relative.clamp(max=0) + future
