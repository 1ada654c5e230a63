"""getattr with a name put together from two halves.

Verdict: failed
"""

import torch.nn.functional as F


def rms_norm(x, weight, eps=1e-6):
    return getattr(F, "rms" + "_norm")(x, weight.shape, weight, eps)
