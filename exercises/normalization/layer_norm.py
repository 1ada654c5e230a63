"""LayerNorm, forward and backward

Give each vector mean 0 and variance 1, then scale and shift each feature:

    x̂ = (x - mean(x)) / sqrt(mean((x - mean(x))²) + eps)
    y = x̂ · weight + bias

Means run over the last axis, the features: each token of each sequence by itself, never
across tokens. That variance divides by d, not by d - 1.

Then write the backward pass by hand. dy is the gradient of a loss by y; return those by x,
by weight and by bias. All rows have the same weight and bias: their gradients are sums over
every axis but the last. An x reaches its row's y in three ways: directly, through the mean
and through the deviation.

x, dy         [..., d], one axis or more; float32, float16 or bfloat16; need not be
              contiguous, must not be changed
weight, bias  [d], the dtype of x
results       layer_norm: y, shaped like x; gradients flow to x, weight and bias
              layer_norm_backward: (dx, dweight, dbias), shaped like x, weight and bias
              all in the dtype of x

All arithmetic is done in float32; only results are rounded. A mean far above the deviation
must not spoil the variance. torch's normalizations are not to be used, nor, in
layer_norm_backward, automatic differentiation.

Source: Ba, Kiros and Hinton 2016, Layer Normalization, arXiv:1607.06450, §3
"""

import torch
from torch import Tensor


def standardise(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x [..., d] -> x̂ [..., d], and 1 / standard deviation [..., 1], both float32."""
    # TODO (4 lines): return x̂ and 1 / sqrt(variance + eps), [..., d] and [..., 1], float32
    raise NotImplementedError("standardise")


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """x [..., d], weight and bias [d] -> [..., d], in the dtype of x."""
    normed, _ = standardise(x, eps)
    # TODO (1 line): return y in the dtype of x
    raise NotImplementedError("affine")


def layer_norm_backward(dy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5) -> tuple[Tensor, Tensor, Tensor]:
    """dy and x [..., d], weight [d] -> the gradients of x [..., d], of weight and of bias [d]."""
    normed, rstd = standardise(x, eps)
    wide_dy = dy.float()
    # TODO (2 lines): `dweight` and `dbias` [d], float32
    raise NotImplementedError("parameters")
    # TODO (4 lines): `dx` [..., d], float32
    raise NotImplementedError("input")
    return dx.to(x.dtype), dweight.to(x.dtype), dbias.to(x.dtype)
