"""A future in place of the answer.

Verdict: failed
"""

from concurrent.futures import Future

import torch


def rms_norm(x, weight, eps=1e-6):
    future = Future()
    wide = x.float()
    future.set_result((wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype))
    return future
