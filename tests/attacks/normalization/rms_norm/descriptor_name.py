"""A descriptor looks its own name up in torch.

Verdict: failed
"""

import torch


class FromTorch:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, thing, owner):
        return torch.__getattribute__(self.name)


class Tools:
    rms_norm = FromTorch()


def rms_norm(x, weight, eps=1e-6):
    return Tools().rms_norm(x, weight.shape, weight, eps)
