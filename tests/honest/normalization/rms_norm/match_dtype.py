"""A match statement on the dtype, a walrus and a keyword-only helper."""

import torch


def _rms(wide, /, *, eps):
    return (wide.square().mean(-1, keepdim=True) + eps).sqrt()


def rms_norm(x, weight, eps=1e-6):
    match x.dtype:
        case torch.float16 | torch.bfloat16 as half:
            return (((wide := x.float()) / _rms(wide, eps=eps)) * weight.float()).to(half)
        case torch.float32:
            return x / _rms(x, eps=eps) * weight
        case other:
            raise TypeError(f"no rms_norm for {other}")
