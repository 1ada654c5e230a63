"""Feed-forward block

After attention has moved information between tokens, the feed-forward block works on each of
them by itself, with the same weights at every position:

    hidden = act(x W1 + b1)     [..., d_ff], usually four times as wide as x
    y      = hidden W2 + b2     [..., d_model]

Vaswani et al. take act(z) = max(0, z); BERT and GPT take GELU.

The parameters of FFN(d_model, d_ff, activation="relu", bias=True) are those of two nn.Linear:
fc1 from d_model to d_ff (W1, b1) and fc2 from d_ff to d_model (W2, b2), both with bias or both
without.

activation  "relu" or "gelu": the exact GELU, which is that of F.gelu by default
x           [..., d_model], any axes in front; float32, float16 or bfloat16, like the
            parameters; need not be contiguous, must not be changed
result      the shape and the dtype of x; gradients flow to x and the parameters

t tokens take 4 · t · d_model · d_ff operations: two products, each of a multiplication and an
addition per weight and token. No more than a quarter above that is allowed.

No dropout, no residual connection, no normalization: they belong to the layer around the block.
torch's relu, gelu and nn.Linear are fine, its transformer layers are not.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, §3.3, eq. 2
"""

import torch.nn.functional as F
from torch import Tensor, nn


class FFN(nn.Module):
    """The feed-forward block of a transformer: each token by itself, wider inside."""

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", bias: bool = True):
        super().__init__()
        # TODO (2 lines): the two nn.Linear, `self.fc1` and `self.fc2`
        raise NotImplementedError("layers")
        self.activation = {"relu": F.relu, "gelu": F.gelu}[activation]

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # TODO (1 line): the hidden features; call them `hidden`, [..., d_ff]
        raise NotImplementedError("expand")
        # TODO (1 line): back to d_model features
        raise NotImplementedError("contract")
