import torch.nn.functional as F
from torch import Tensor, nn


class FFN(nn.Module):
    """The feed-forward block of a transformer: each token by itself, wider inside."""

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", bias: bool = True):
        super().__init__()
        # BLANK layers
        self.fc1 = nn.Linear(d_model, d_ff, bias=bias)
        self.fc2 = nn.Linear(d_ff, d_model, bias=bias)
        # END
        self.activation = {"relu": F.relu, "gelu": F.gelu}[activation]

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # BLANK expand
        hidden = self.activation(self.fc1(x))  # [..., d_ff]; without it, two products in a row would be one
        # END
        # BLANK contract
        return self.fc2(hidden)
        # END
