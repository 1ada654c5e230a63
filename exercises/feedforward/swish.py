"""Swish (SiLU) and its derivative

Swish lets each number be its own gate. With σ(z) = 1 / (1 + exp(-z)):

    swish(x) = x · σ(βx)

With β = 1 it is called SiLU, the activation inside Llama's SwiGLU; with β = 0 it is x/2; the
larger β, the closer it is to ReLU. For β > 0 it has no upper bound: for large positive x it
approaches x, for large negative x it approaches 0, and around 0 it is about x/2.

Write swish, and its derivative by hand: swish_grad(x, beta) is ∂swish/∂x at each element of
x. x stands in front of the gate and inside it.

x        any shape, float32, float16 or bfloat16; need not be contiguous, must not be changed
beta     a number, of any sign
results  the shape and the dtype of x; gradients flow through swish to x

All arithmetic is done in float32; only results are rounded. βx may be in the hundreds, of
either sign: no result may be infinite or NaN, nor the gradient that autograd finds for swish.

torch.sigmoid is fine; torch's silu is not, nor, in swish_grad, automatic differentiation.

Source: Ramachandran, Zoph and Le 2017, Searching for Activation Functions, arXiv:1710.05941, §2 and §4
"""

import torch
from torch import Tensor


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """x of any shape -> the same shape and dtype."""
    wide = x.float()
    # TODO (1 line): swish of `wide`; call it `y`
    raise NotImplementedError("swish")
    return y.to(x.dtype)


def swish_grad(x: Tensor, beta: float = 1.0) -> Tensor:
    """The derivative of swish by x, at each element of x."""
    wide = x.float()
    # TODO (2 lines): the derivative of swish by x, at `wide`; call it `dy`
    raise NotImplementedError("derivative")
    return dy.to(x.dtype)
