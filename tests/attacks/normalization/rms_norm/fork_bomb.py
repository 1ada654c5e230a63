"""Forks three children, and is right only if it may.

Verdict: failed
"""

import os
import time

import torch


def rms_norm(x, weight, eps=1e-6):
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
