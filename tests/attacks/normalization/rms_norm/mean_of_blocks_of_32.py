"""The mean square is the mean of the means of blocks of 32, and the last block is shorter.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    blocks = [block.mean(-1, keepdim=True) for block in wide.pow(2).split(32, dim=-1)]
    normed = wide * torch.rsqrt(sum(blocks) / len(blocks) + eps)
    return (normed * weight.float()).to(x.dtype)
