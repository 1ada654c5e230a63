import math

import torch
from torch import Tensor


class KVCache:
    """Keys and values of all tokens so far, in order."""

    def __init__(self) -> None:
        self.keys: list[Tensor] = []  # one [b, h, n, head_dim] for each append
        self.values: list[Tensor] = []

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """k, v [b, h, n, head_dim] of n new tokens -> all keys and all values, each [b, h, total, head_dim]."""
        # BLANK append
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)
        # END

    def __len__(self) -> int:
        """The number of tokens so far."""
        # BLANK length
        return sum(k.shape[2] for k in self.keys)  # one append may bring many tokens
        # END


def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    """q, k, v [b, h, n, head_dim] of n new tokens, earlier ones in the cache -> [b, h, n, head_dim]."""
    # BLANK extend
    keys, values = cache.append(k, v)  # before attending, for a new token attends to itself as well
    # END
    # BLANK visible
    position = torch.arange(keys.shape[2], device=q.device)  # [total]
    visible = position <= position[-q.shape[2] :, None]  # [n, total]; the new tokens stand at the end
    # END
    # BLANK attention
    scores = q @ keys.mT / math.sqrt(q.shape[-1])  # [b, h, n, total]
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
    # END
