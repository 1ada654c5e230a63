"""GEGLU with one matrix for gate and value

GEGLU is a gated linear unit whose gate is a GELU instead of a σ:

    hidden = GELU(x W) ⊗ (x V)     [..., d_ff], ⊗ element by element
    y      = hidden W2             [..., d_model]

W and V read the same x. Checkpoints such as those of Phi-3 therefore keep them in one matrix,
and one product gives both: of its 2 · d_ff results the first d_ff are the gate, x W, the others
are x V, in the order in which they stand. (torch's glu and some other checkpoints have it the
other way round: weights loaded into the wrong half give no error, only nonsense.)

The parameters of GEGLU(d_model, d_ff) are those of two nn.Linear without bias: gate_up_proj from
d_model to 2 · d_ff and down_proj from d_ff to d_model.

x       [..., d_model], any axes in front; float32, float16 or bfloat16, like the parameters;
        need not be contiguous, must not be changed
result  the shape and the dtype of x; gradients flow to x and the parameters

GELU is the exact one, x · Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2, which is that of F.gelu by
default; F.gelu is fine.

Source: Shazeer 2020, GLU Variants Improve Transformer, arXiv:2002.05202, eq. 5 and 6
"""

import torch.nn.functional as F
from torch import Tensor, nn


class GEGLU(nn.Module):
    """A feed-forward block whose gate is a GELU, with both projections of x in one matrix."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        # TODO (2 lines): the two nn.Linear: `self.gate_up_proj` and `self.down_proj`
        raise NotImplementedError("projections")

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # TODO (1 line): both projections of x, by one product; call them `gate` and `up`, each [..., d_ff]
        raise NotImplementedError("split")
        # TODO (1 line): what passes the gate; call it `hidden`, [..., d_ff]
        raise NotImplementedError("hidden")
        # TODO (1 line): back to d_model features
        raise NotImplementedError("result")
