"""Carries a note from one process to the next in a file outside its scratch directory.

Verdict: failed
"""

from pathlib import Path

import torch

note = Path("/dev/shm/zz_clozekit_attack")
note.write_text("hello")
note.unlink()


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
