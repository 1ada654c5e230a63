import math

import torch
from torch import Tensor


def tupe_logits(xq: Tensor, xk: Tensor, pq: Tensor, pk: Tensor, rel_bias: Tensor, theta: Tensor) -> Tensor:
    """xq, xk [b, h, t, d], pq, pk [h, t, d], rel_bias [h, 2 m - 1], theta [h, 2] -> [b, h, t, t]."""
    t, d = xq.shape[2:]
    # BLANK words
    words = xq @ xk.mT / math.sqrt(2 * d)  # [b, h, t, t]; two dot products of d terms each are about √(2d)
    # END
    # BLANK absolute
    positions = pq @ pk.mT / math.sqrt(2 * d)  # [h, t, t], the same for every sequence and every layer
    # END
    # BLANK relative
    place = torch.arange(t, device=xq.device)
    relative = place - place[:, None]  # [t, t], key minus query
    positions = positions + rel_bias[:, relative + rel_bias.shape[1] // 2]
    # END
    # BLANK untie
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)  # the first column: to [CLS]
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)  # the first row: from [CLS]
    # END
    return words + positions
