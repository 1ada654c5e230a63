import torch.nn.functional as F
from torch import Tensor, nn


class GEGLU(nn.Module):
    """A feed-forward block whose gate is a GELU, with both projections of x in one matrix."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        # BLANK projections
        self.gate_up_proj = nn.Linear(d_model, 2 * d_ff, bias=False)  # one product where two would read x twice
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        # END

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # BLANK split
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)  # each [..., d_ff]
        # END
        # BLANK hidden
        hidden = F.gelu(gate) * up
        # END
        # BLANK result
        return self.down_proj(hidden)
        # END
