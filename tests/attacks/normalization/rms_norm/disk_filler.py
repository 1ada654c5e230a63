"""Writes files of together 160 MB, and is right only if it may.

Verdict: failed
"""

import os

import torch

written = 0
for i in range(10):
    with open(f"fill-{i}", "wb") as file:
        file.write(os.urandom(16 << 20))


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
