import torch
from torch import Tensor, nn


class GLUFFN(nn.Module):
    """A feed-forward block in which one projection of x opens and closes another."""

    def __init__(self, d_model: int, d_ff: int, bias: bool = False):
        super().__init__()
        # BLANK projections
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)
        # END

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # BLANK gate
        gate = torch.sigmoid(self.gate_proj(x))  # [..., d_ff], from 0, shut, to 1, open
        # END
        # BLANK hidden
        hidden = gate * self.up_proj(x)  # linear in what passes
        # END
        # BLANK result
        return self.down_proj(hidden)
        # END
