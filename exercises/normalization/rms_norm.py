"""RMSNorm

Scale each vector so that its root mean square is 1, then each feature by its weight:

    y = x / sqrt(mean(x²) + eps) · weight

The mean runs over the last axis. Unlike LayerNorm, nothing is centred and there is no bias.

x       [..., d], float32, float16 or bfloat16; need not be contiguous, must not be changed
weight  [d], the dtype of x
result  [..., d], the dtype of x; gradients flow to x and weight

All arithmetic is done in float32; only the result is rounded to the dtype of x. (Rounding
once before the weight is applied, as Llama does, is accepted as well.)

Source: Zhang and Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467, eq. 4
"""

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """x [..., d], weight [d] -> [..., d], in the dtype of x."""
    # TODO (1 line): x in float32, so that its squares do not overflow
    raise NotImplementedError("widen")
    # TODO (2 lines): divide `wide` by its root mean square over the last axis; call it `normed`
    raise NotImplementedError("normalise")
    # TODO (1 line): multiply by the weight and return the dtype of x
    raise NotImplementedError("scale")
