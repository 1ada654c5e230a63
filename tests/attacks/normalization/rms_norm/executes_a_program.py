"""Runs a program, and is right only if it may.

Verdict: failed
"""

import subprocess

import torch

subprocess.run(["/bin/true"], check=True)


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
