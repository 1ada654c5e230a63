"""GELU, exact and by tanh

ReLU keeps x or drops it. GELU weighs x by the share of a standard normal distribution that
lies below it:

    gelu(x) = x · Φ(x)        Φ(x) = (1 + erf(x / √2)) / 2

So it is almost x for large positive x, almost 0 for large negative x, and dips a little below
0 between. BERT in PyTorch has this form. GPT-2 replaces Φ by a tanh, close to it but not equal:

    Φ(x) ≈ (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2

x            any shape, float32, float16 or bfloat16; need not be contiguous, must not be
             changed; of either sign, in the hundreds as well
approximate  "none", the exact form with erf, or "tanh", the other one
result       the shape and the dtype of x; gradients flow to x

All arithmetic is done in float32; only the result is rounded to the dtype of x: in half
precision 1 + erf loses its digits and x³ overflows. Any way to erf is fine, torch.special and
torch.distributions included; torch's gelu is not.

Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units, arXiv:1606.08415, §2
"""

import math

import torch
from torch import Tensor


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x of any shape -> the same shape and dtype; approximate is "none" or "tanh"."""
    wide = x.float()
    if approximate == "tanh":
        # TODO (2 lines): the tanh that stands for Φ(x), from `wide`; call it `share`
        raise NotImplementedError("tanh")
    else:
        # TODO (1 line): Φ(x) by erf, from `wide`; call it `share`
        raise NotImplementedError("exact")
    # TODO (1 line): x weighed by its share, in the dtype of x
    raise NotImplementedError("weigh")
