"""The module becomes an attribute by setattr.

Verdict: failed
"""

import torch


class Tools:
    pass


setattr(Tools, "lib", torch)


def rms_norm(x, weight, eps=1e-6):
    return Tools.lib.rms_norm(x, weight.shape, weight, eps)
