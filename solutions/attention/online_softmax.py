import math

import torch
from torch import Tensor


class OnlineSoftmax:
    """Of every row of scores its maximum m and d, the sum of exp(score - m); no score is kept."""

    def __init__(self, rows: int) -> None:
        # BLANK start
        self.m = torch.full((rows,), -math.inf)  # [rows]
        self.d = torch.zeros(rows)
        # END

    def update(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [rows, n], the next scores of every row -> m and d, each [rows], of all scores so far."""
        # BLANK chunk
        x = x.float()
        m = x.amax(dim=-1)  # [rows], of these scores alone
        d = weigh(x, m[:, None]).sum(dim=-1)
        # END
        return self.combine(m, d)

    def merge(self, other: "OnlineSoftmax") -> tuple[Tensor, Tensor]:
        """Take in all that another one has seen -> m and d, each [rows], of both."""
        return self.combine(other.m, other.d)

    def combine(self, m: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
        """m and d of other scores -> those of all."""
        # BLANK combine
        old, self.m = self.m, torch.maximum(self.m, m)
        self.d = self.d * weigh(old, self.m) + d * weigh(m, self.m)  # each sum knew a smaller maximum
        return self.m, self.d
        # END

    def probabilities(self, x: Tensor) -> Tensor:
        """x [rows, n], scores among those seen -> their softmax over all that were seen, [rows, n]."""
        # BLANK normalise
        d = self.d.clamp(min=1)  # only of a row that is all -inf it is less: 0
        return (weigh(x.float(), self.m[:, None]) / d[:, None]).to(x.dtype)
        # END


def weigh(x: Tensor, m: Tensor) -> Tensor:
    """exp(x - m), for x up to m."""
    # BLANK weigh
    return torch.exp(x - m.masked_fill(m == -math.inf, 0.0))  # -inf - -inf would be NaN
    # END
