import torch
from torch import Tensor


def to_rows(x: Tensor) -> Tensor:
    """x [n, c, ...] -> float32 [m, c]: a column holds all values of one channel."""
    # BLANK rows
    return x.movedim(1, -1).flatten(0, -2).float()
    # END


def from_rows(rows: Tensor, x: Tensor) -> Tensor:
    """rows [m, c] -> shape and dtype of x."""
    return rows.unflatten(0, (x.shape[0], *x.shape[2:])).movedim(-1, 1).to(x.dtype)


def moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """rows [m, c] -> mean and variance of each channel, [c]."""
    # BLANK moments
    mean = rows.mean(0)
    return mean, (rows - mean).pow(2).mean(0)
    # END


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
        # BLANK running
        unbiased = var * len(rows) / (len(rows) - 1)  # of all data; var itself is that of this batch
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
        # END
    else:
        # BLANK inference
        mean, var = running_mean, running_var  # so that no example depends on its neighbours
        # END
    # BLANK normalise
    normed = (rows - mean) / torch.sqrt(var + eps)
    y = normed * weight.float() + bias.float()
    # END
    return from_rows(y, x), running_mean, running_var


def batch_norm_backward(dy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """dy and x [n, c, ...], weight [c] -> the gradients of x, of weight and of bias, in training."""
    rows, wide_dy = to_rows(x), to_rows(dy)
    mean, var = moments(rows)
    rstd = torch.rsqrt(var + eps)  # [c]
    normed = (rows - mean) * rstd
    # BLANK parameters
    dweight = (wide_dy * normed).sum(0)
    dbias = wide_dy.sum(0)
    # END
    # BLANK input
    dnormed = wide_dy * weight.float()
    by_mean = dnormed.mean(0)  # [c], what each x passes on through the mean of its channel
    by_deviation = (dnormed * normed).mean(0)  # and through its deviation
    dx = rstd * (dnormed - by_mean - normed * by_deviation)
    # END
    return from_rows(dx, x), dweight.to(x.dtype), dbias.to(x.dtype)
