"""Gated linear unit: GLU

GLU is short for gated linear unit. x is projected twice: the one projection, through σ, is a
gate between 0 and 1; the other is linear, and passes as far as the gate is open. In place of
the first layer of a feed-forward block:

    gate   = σ(x W)             [..., d_ff]
    hidden = gate ⊗ (x V)       [..., d_ff], ⊗ element by element
    y      = hidden W2          [..., d_model]

As nothing bends x V, the gradient that flows through it is only scaled by the gate: it does
not vanish as it does behind a tanh or a σ.

The parameters of GLUFFN(d_model, d_ff, bias=False) are those of three nn.Linear: gate_proj (W)
and up_proj (V) from d_model to d_ff, down_proj (W2) from d_ff to d_model. With bias=True each of
the three adds its own bias.

x       [..., d_model], any axes in front; float32, float16 or bfloat16, like the parameters;
        need not be contiguous, must not be changed
result  the shape and the dtype of x; gradients flow to x and the parameters

Values before the gate may be in the hundreds, of either sign.

One product with the joined weights of W and V is as good as two. torch.sigmoid is fine, torch's
glu is not: it takes both halves from one tensor, and of these the second is the gate.

Source: Shazeer 2020, arXiv:2002.05202, eq. 6; the gate: Dauphin et al. 2017, arXiv:1612.08083, eq. 1
"""

import torch
from torch import Tensor, nn


class GLUFFN(nn.Module):
    """A feed-forward block in which one projection of x opens and closes another."""

    def __init__(self, d_model: int, d_ff: int, bias: bool = False):
        super().__init__()
        # TODO (3 lines): the three nn.Linear: `self.gate_proj`, `self.up_proj`, `self.down_proj`
        raise NotImplementedError("projections")

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # TODO (1 line): how far each hidden feature is open; call it `gate`, [..., d_ff]
        raise NotImplementedError("gate")
        # TODO (1 line): what passes the gate; call it `hidden`, [..., d_ff]
        raise NotImplementedError("hidden")
        # TODO (1 line): back to d_model features
        raise NotImplementedError("result")
