from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """A feed-forward network f, a residual connection, and LayerNorm in one of three places."""

    def __init__(self, d_model: int, d_ff: int, placement: str):
        super().__init__()
        self.placement = placement
        self.fc1 = nn.Linear(d_model, d_ff)
        self.fc2 = nn.Linear(d_ff, d_model)
        self.norm = nn.LayerNorm(d_model)
        if placement == "sandwich":
            self.out_norm = nn.LayerNorm(d_model)

    def f(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x).relu())

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        if self.placement == "post":
            # BLANK post
            return self.norm(x + self.f(x))
            # END
        if self.placement == "pre":
            # BLANK pre
            return x + self.f(self.norm(x))  # x itself goes on, through all blocks
            # END
        # BLANK sandwich
        return x + self.out_norm(self.f(self.norm(x)))  # what f adds is of one size, whatever f is
        # END


class Stack(nn.Module):
    """As many blocks as it is deep."""

    def __init__(self, d_model: int, d_ff: int, depth: int, placement: str):
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(d_model, d_ff, placement) for _ in range(depth))
        # BLANK last_norm
        self.norm = nn.Identity() if placement == "post" else nn.LayerNorm(d_model)
        # END

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d_model] -> [..., d_model]."""
        # BLANK stack
        for block in self.blocks:
            x = block(x)
        return self.norm(x)  # the sums have grown with the depth, except where each was normalised
        # END
