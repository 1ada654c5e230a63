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
    stays = mass.masked_fill(safe, math.inf).topk(min(n, budget), dim=-1).indices  # the heaviest first
    return stays.sort(dim=-1).values
    # END


class BoundedCache:
    """Keys and values of at most `budget` tokens, for each head those that it needs."""

    def __init__(self, budget: int, sinks: int, recent: int) -> None:
        self.budget, self.sinks, self.recent = budget, sinks, recent
        self.keys = self.values = self.mass = None

    def __len__(self) -> int:
        """The number of tokens in the cache, the same for each head."""
        # BLANK length
        return 0 if self.mass is None else self.mass.shape[-1]
        # END

    def step(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v [b, h, 1, d] of the next token -> what it gets from the tokens in the cache and itself, [b, h, 1, d]."""
        # BLANK extend
        if self.mass is None:
            keys, values, mass = k, v, torch.zeros_like(k[..., 0], dtype=torch.float32)
        else:
            keys, values = torch.cat([self.keys, k], dim=2), torch.cat([self.values, v], dim=2)  # [b, h, n, d]
            mass = F.pad(self.mass, (0, 1))  # [b, h, n]
        # END
        # BLANK attend
        weights = (q @ keys.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)  # [b, h, 1, n]
        # END
        # BLANK weigh
        mass = mass + weights[:, :, 0]
        # END
        # BLANK keep
        stays = evict(mass, self.budget, self.sinks, self.recent)  # [b, h, m]
        self.keys = keys.take_along_dim(stays[..., None], dim=2)
        self.values = values.take_along_dim(stays[..., None], dim=2)
        self.mass = mass.gather(-1, stays)  # each token takes along what it has received
        # END
        return weights @ values
