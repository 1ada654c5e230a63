"""Looks into the scratch directories of other workers, and is right only if it may.

Verdict: failed
"""

import os

import torch

home = os.path.dirname(os.getcwd())
found = os.listdir(home)
assert os.path.basename(os.getcwd()) in found and home.startswith(("/tmp/", "/var/"))


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
