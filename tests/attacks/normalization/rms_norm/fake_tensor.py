"""A fake tensor: the right shape and dtype, no data.

Verdict: failed
"""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode


def rms_norm(x, weight, eps=1e-6):
    with FakeTensorMode():
        return torch.empty(x.shape, dtype=x.dtype)
