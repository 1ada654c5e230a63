import math

import torch
from torch import Tensor


def shaw_index(relative: Tensor, k: int) -> Tensor:
    """The row of each relative position, int64 of any shape, in a table of 2 k + 1 rows."""
    # BLANK clip
    return relative.clamp(-k, k) + k
    # END


def t5_bucket(relative: Tensor, num_buckets: int = 32, max_distance: int = 128, bidirectional: bool = True) -> Tensor:
    """The bucket of each relative position, int64 of any shape."""
    # BLANK sides
    if bidirectional:
        num_buckets //= 2
        first = num_buckets * (relative > 0)  # the second half of the buckets is for later keys
        distance = relative.abs()
    else:
        first = 0
        distance = -relative.clamp(max=0)
    # END
    # BLANK far
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=exact) / exact) / math.log(
        max_distance / exact
    )  # 0 at exact, 1 at max_distance
    far = exact + (growth * (num_buckets - exact)).long()
    # END
    # BLANK choose
    return first + torch.where(distance < exact, distance, far.clamp(max=num_buckets - 1))
    # END


def t5_bias(table: Tensor, t_q: int, t_k: int, max_distance: int = 128, bidirectional: bool = True) -> Tensor:
    """table [num_buckets, h], learned -> what is added to the scores of the last t_q of t_k tokens, [h, t_q, t_k]."""
    # BLANK relative
    key = torch.arange(t_k, device=table.device)
    query = key[t_k - t_q :, None]
    relative = key - query  # [t_q, t_k]
    # END
    # BLANK look_up
    buckets = t5_bucket(relative, len(table), max_distance, bidirectional)
    return table[buckets].permute(2, 0, 1)
    # END
