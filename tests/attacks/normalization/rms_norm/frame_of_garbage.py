"""Random bytes on the channel.

Verdict: failed, protocol
"""

import os

import torch


def rms_norm(x, weight, eps=1e-6):
    os.write(3, os.urandom(1000))
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
