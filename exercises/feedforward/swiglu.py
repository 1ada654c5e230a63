"""SwiGLU and its width of two thirds

The feed-forward block of Llama, Mistral and Qwen is a gated linear unit whose gate is Swish with
β = 1, called SiLU:

    hidden = silu(x W) ⊗ (x V)     [..., d_ff], ⊗ element by element
    y      = hidden W2             [..., d_model]

    silu(z) = z · σ(z)             σ(z) = 1 / (1 + exp(-z))

The parameters of SwiGLU(d_model, d_ff) are those of three nn.Linear without bias: gate_proj (W)
and up_proj (V) from d_model to d_ff, down_proj (W2) from d_ff to d_model.

Three matrices where a plain block has two: to compare them fairly, SwiGLU gets two thirds of
the width. matched_width(d_model, multiple_of) is the d_ff that stands for 4 · d_model:

    1. two thirds of 4 · d_model, rounded down to an integer
    2. then rounded up to a multiple of multiple_of, as Llama does; a multiple stays as it is

d_model, multiple_of  integers from 1 on
matched_width         an integer: for 4096 and 256 it is 11008
x                     [..., d_model], any axes in front; float32, float16 or bfloat16, like the
                      parameters; need not be contiguous, must not be changed
result                the shape and the dtype of x; gradients flow to x and the parameters

Values before the gate may be in the hundreds, of either sign. t tokens take 6 · t · d_model ·
d_ff operations: three products, each made once. No more than a fifth above that is allowed.

F.silu and torch.sigmoid are fine, and so is one product with joined weights.

Source: Shazeer 2020, arXiv:2002.05202, §2; the width: Touvron et al. 2023, LLaMA, arXiv:2302.13971, §2.2
"""

import torch.nn.functional as F
from torch import Tensor, nn


def matched_width(d_model: int, multiple_of: int = 1) -> int:
    """The d_ff with which SwiGLU has about as many weights as a block of two matrices and 4 d_model."""
    # TODO (2 lines): two thirds of 4 · d_model, rounded down, then up to a multiple of multiple_of
    raise NotImplementedError("width")


class SwiGLU(nn.Module):
    """The feed-forward block of Llama."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        # TODO (3 lines): the three nn.Linear: `self.gate_proj`, `self.up_proj`, `self.down_proj`
        raise NotImplementedError("projections")

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # TODO (1 line): what passes the gate; call it `hidden`, [..., d_ff]
        raise NotImplementedError("hidden")
        # TODO (1 line): back to d_model features
        raise NotImplementedError("result")
