"""The encoder claims a shape that its bytes do not fill.

Verdict: failed, protocol
"""

import sys

import torch

values = sys.modules["clozekit.values"]
original = values.encode


def encode(value, buffers, *rest, **options):
    header = original(value, buffers, *rest, **options)
    if isinstance(header, values.Array):
        return values.Array(header.dtype, [1 << 39, *header.shape], header.size)
    return header


values.encode = encode


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
