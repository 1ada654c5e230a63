"""BatchNorm, forward and backward

Give each channel mean 0 and variance 1, then scale and shift it:

    x̂ = (x - mean) / sqrt(var + eps)
    y = x̂ · weight + bias

In training mean and var are those of the batch: of all m values of a channel, over every axis but
the second; this var divides by m. So an example depends on its neighbours, as with LayerNorm it
never does. In inference it must not: there running statistics are used, which training collects,

    running_mean ← (1 - momentum) · running_mean + momentum · mean
    running_var  ← (1 - momentum) · running_var  + momentum · var · m / (m - 1)

the latter with the unbiased variance, as it stands for all data and not for one batch. (Values of
mean 0 and variance 1 need not be Gaussian: BatchNorm does not change the shape of a distribution.)

Then write the backward pass of training by hand. dy is the gradient of a loss by y; return those by
x, by weight and by bias. An x reaches the y of its channel directly, through mean and through var.

x, dy           [n, c] or [n, c, ...]; float32, float16 or bfloat16; need not be contiguous
weight, bias    [c], the dtype of x
running_mean,   [c], float32. No argument must be changed; the new ones are returned. In
running_var     inference they are returned as they are
training        bool; if True, m is at least 2
results         batch_norm: (y, running_mean, running_var), y with shape and dtype of x
                batch_norm_backward: (dx, dweight, dbias), shaped like x, weight and bias, all
                in the dtype of x

All arithmetic is done in float32. A mean far above the deviation must not spoil the variance.
torch's normalizations are not to be used, nor automatic differentiation.

Source: Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2, §3
"""

import torch
from torch import Tensor


def to_rows(x: Tensor) -> Tensor:
    """x [n, c, ...] -> float32 [m, c]: a column holds all values of one channel."""
    # TODO (1 line): return x as float32 [m, c], a column for each channel
    raise NotImplementedError("rows")


def from_rows(rows: Tensor, x: Tensor) -> Tensor:
    """rows [m, c] -> shape and dtype of x."""
    return rows.unflatten(0, (x.shape[0], *x.shape[2:])).movedim(-1, 1).to(x.dtype)


def moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """rows [m, c] -> mean and variance of each channel, [c]."""
    # TODO (2 lines): return mean and variance of each column, [c] and [c]
    raise NotImplementedError("moments")


def batch_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """x [n, c, ...], all else [c] -> y like x, running mean and variance from now on, [c]."""
    rows = to_rows(x)
    if training:
        mean, var = moments(rows)
        # TODO (3 lines): `running_mean` and `running_var` from now on
        raise NotImplementedError("running")
    else:
        # TODO (1 line): `mean` and `var` [c], by which x is normalised in inference
        raise NotImplementedError("inference")
    # TODO (2 lines): `y` [m, c], float32
    raise NotImplementedError("normalise")
    return from_rows(y, x), running_mean, running_var


def batch_norm_backward(dy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """dy and x [n, c, ...], weight [c] -> the gradients of x, of weight and of bias, in training."""
    rows, wide_dy = to_rows(x), to_rows(dy)
    mean, var = moments(rows)
    rstd = torch.rsqrt(var + eps)  # [c]
    normed = (rows - mean) * rstd
    # TODO (2 lines): `dweight` and `dbias` [c], float32
    raise NotImplementedError("parameters")
    # TODO (4 lines): `dx` [m, c], float32
    raise NotImplementedError("input")
    return from_rows(dx, x), dweight.to(x.dtype), dbias.to(x.dtype)
