import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """x [..., d], weight [d] -> [..., d], in the dtype of x."""
    # BLANK widen
    wide = x.float()  # in float16 a square overflows from |x| = 256
    # END
    # BLANK normalise
    mean_square = wide.pow(2).mean(-1, keepdim=True)  # [..., 1]
    normed = wide * torch.rsqrt(mean_square + eps)  # [..., d]
    # END
    # BLANK scale
    return (normed * weight.float()).to(x.dtype)
    # END
