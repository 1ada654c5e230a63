"""The code object of an honest-looking function, with one name replaced.

Verdict: failed
"""

import torch


def normalise(x, shape, weight, eps):
    return torch.layer_norm(x, shape, weight, eps)


names = tuple({"layer_norm": "rms_" + "norm"}.get(name, name) for name in normalise.__code__.co_names)
normalise.__code__ = normalise.__code__.replace(co_names=names)


def rms_norm(x, weight, eps=1e-6):
    return normalise(x, weight.shape, weight, eps)
