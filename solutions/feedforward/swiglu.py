import torch.nn.functional as F
from torch import Tensor, nn


def matched_width(d_model: int, multiple_of: int = 1) -> int:
    """The d_ff with which SwiGLU has about as many weights as a block of two matrices and 4 d_model."""
    # BLANK width
    width = 8 * d_model // 3  # 3 · d_model · width = 2 · d_model · 4 d_model
    return (width + multiple_of - 1) // multiple_of * multiple_of  # up, as multiples suit the hardware
    # END


class SwiGLU(nn.Module):
    """The feed-forward block of Llama."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        # BLANK projections
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        # END

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # BLANK hidden
        hidden = F.silu(self.gate_proj(x)) * self.up_proj(x)  # [..., d_ff]
        # END
        # BLANK result
        return self.down_proj(hidden)
        # END
