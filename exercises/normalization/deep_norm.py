"""DeepNorm

Post-LN, LayerNorm(x + f(x)), becomes unstable in deep models: early in training one update
changes the output too much. DeepNorm bounds that change by two constants. alpha makes what
goes on weigh more than what a sublayer f adds; beta makes that smaller at the start:

    next = LayerNorm(alpha · x + f(x))

The constants follow from the numbers of layers, n in the encoder and m in the decoder, and
are not learned:

    encoder alone      alpha = (2n)^(1/4)              beta = (8n)^(-1/4)
    decoder alone      alpha = (2m)^(1/4)              beta = (8m)^(-1/4)
    encoder of both    alpha = 0.81 (n⁴ m)^(1/16)      beta = 0.87 (n⁴ m)^(-1/16)
    decoder of both    alpha = (3m)^(1/4)              beta = (12m)^(-1/4)

Weights are drawn by Xavier's normal initialization, of standard deviation

    gain · sqrt(2 / (fan_in + fan_out))

with gain beta for v_proj, out_proj and both layers of the feed-forward network, fc1 and fc2;
q_proj and k_proj, which only choose where to look, have gain 1.

side           "encoder" or "decoder": whose layers the constants are for
n, m           int, at least 0, 0 where there is no such side; never 0 for side's own
x, fx          [..., d], float32, float16 or bfloat16; fx is f(x); need not be contiguous,
               must not be changed
weight, bias   [d], of LayerNorm, the dtype of x
name           one of the six above; fan_in, fan_out: int
results        of deepnorm_constants (alpha, beta), two Python floats; of deep_norm next, shape
               and dtype of x, gradients flow to all tensors; of init_std a Python float

Sum and norm are computed in float32. torch's layer_norm may be used.

Source: Wang et al. 2022, DeepNet: Scaling Transformers to 1,000 Layers, arXiv:2203.00555, figure 2 and §4.3
"""

import math

import torch.nn.functional as F
from torch import Tensor


def deepnorm_constants(side: str, n: int, m: int) -> tuple[float, float]:
    """alpha and beta of the layers on one side, "encoder" or "decoder", of a model with n and m layers there."""
    # TODO (3 lines): if the model has one side only, return alpha and beta of its layers
    raise NotImplementedError("alone")
    # TODO (3 lines): return alpha and beta of this side's layers, where there are both
    raise NotImplementedError("both")


def deep_norm(x: Tensor, fx: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5) -> Tensor:
    """x and fx = f(x) [..., d], weight and bias [d] -> what the next sublayer gets, [..., d]."""
    # TODO (1 line): `summed`, float32 [..., d]: what goes into LayerNorm
    raise NotImplementedError("residual")
    # TODO (1 line): return what comes out of it, in the dtype of x
    raise NotImplementedError("norm")


def init_std(name: str, fan_in: int, fan_out: int, beta: float) -> float:
    """The standard deviation from which the weights called `name` are drawn."""
    # TODO (3 lines): `gain`: that of the weights called `name`
    raise NotImplementedError("gain")
    # TODO (1 line): return the standard deviation
    raise NotImplementedError("xavier")
