import torch
from torch import Tensor


def standardise(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x [..., d] -> x̂ [..., d], and 1 / standard deviation [..., 1], both float32."""
    # BLANK standardise
    wide = x.float()
    centred = wide - wide.mean(-1, keepdim=True)  # the squares of what is left lose no digits to a large mean
    rstd = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + eps)  # [..., 1]
    return centred * rstd, rstd
    # END


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """x [..., d], weight and bias [d] -> [..., d], in the dtype of x."""
    normed, _ = standardise(x, eps)
    # BLANK affine
    return (normed * weight.float() + bias.float()).to(x.dtype)
    # END


def layer_norm_backward(dy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """dy and x [..., d], weight [d] -> the gradients of x [..., d], of weight and of bias [d]."""
    normed, rstd = standardise(x, eps)
    wide_dy = dy.float()
    # BLANK parameters
    dweight = (wide_dy * normed).reshape(-1, x.shape[-1]).sum(0)  # every row has the same weight and bias
    dbias = wide_dy.reshape(-1, x.shape[-1]).sum(0)
    # END
    # BLANK input
    dnormed = wide_dy * weight.float()
    by_mean = dnormed.mean(-1, keepdim=True)  # [..., 1], what each x passes on through the mean
    by_deviation = (dnormed * normed).mean(-1, keepdim=True)  # and through the deviation
    dx = rstd * (dnormed - by_mean - normed * by_deviation)
    # END
    return dx.to(x.dtype), dweight.to(x.dtype), dbias.to(x.dtype)
