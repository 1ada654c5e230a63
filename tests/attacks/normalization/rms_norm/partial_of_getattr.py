"""getattr bound to its module by partial.

Verdict: failed
"""

from functools import partial

import torch.nn.functional as F

of_functional = partial(getattr, F)


def rms_norm(x, weight, eps=1e-6):
    return of_functional("rms_norm")(x, weight.shape, weight, eps)
