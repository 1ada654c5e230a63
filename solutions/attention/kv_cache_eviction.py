import math

import torch
import torch.nn.functional as F
from torch import Tensor


def evict(mass: Tensor, budget: int, sinks: int, recent: int) -> Tensor:
    """mass [b, h, n], oldest token first -> the slots that stay, int64 [b, h, min(n, budget)], ascending."""
    n = mass.shape[-1]
    # BLANK protect
    slot = torch.arange(n, device=mass.device)
    safe = (slot < sinks) | (slot >= n - recent)  # [n]
    # END
    # BLANK choose
    stays = mass.masked_fill(safe, math.inf).topk(min(n, budget)).indices  # the heaviest first
    return stays.sort().values
    # END


class BoundedCache:
    """Keys and values of at most `budget` tokens, for each head those that it needs."""

    def __init__(self, budget: int, sinks: int, recent: int) -> None:
        self.budget, self.sinks, self.recent = budget, sinks, recent
        self.keys = self.values = self.mass = None

    def __len__(self) -> int:
        """The number of tokens in the cache, the same for each head."""
        # BLANK length
        return 0 if self.keys is None else self.keys.shape[2]
        # END

    def step(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v [b, h, 1, d] of the next token -> its result, [b, h, 1, d]."""
        # BLANK extend
        keys = k if self.keys is None else torch.cat([self.keys, k], dim=2)  # [b, h, n, d]
        values = v if self.values is None else torch.cat([self.values, v], dim=2)
        # END
        # BLANK attend
        weights = (q @ keys.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)  # [b, h, 1, n]
        # END
        # BLANK weigh
        mass = weights.squeeze(2).float()  # [b, h, n]; in half precision a heavy token would soon gain nothing more
        if self.mass is not None:
            mass = mass + F.pad(self.mass, (0, 1))  # the new token has received nothing before
        # END
        # BLANK keep
        stays = evict(mass, self.budget, self.sinks, self.recent)  # [b, h, m]
        self.keys = keys.take_along_dim(stays[..., None], dim=2)
        self.values = values.take_along_dim(stays[..., None], dim=2)
        self.mass = mass.gather(-1, stays)  # each token takes along what it has received
        # END
        return weights @ values
