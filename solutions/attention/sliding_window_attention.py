import math

import torch
import torch.nn.functional as F
from torch import Tensor


def sliding_window_attention(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """q, k, v [b, h, t, d] -> [b, h, t, d]; each token attends to itself and the window - 1 tokens before it."""
    t, d = q.shape[2:]
    # BLANK blocks
    size = min(window, t)  # so that no token looks back farther than into the block before its own
    q, k, v = (F.pad(x, (0, 0, 0, -t % size)).unflatten(2, (-1, size)) for x in (q, k, v))  # [b, h, n, size, d]
    # END
    # BLANK neighbours
    # The first block has no block before it and gets zeros, which `visible` will hide.
    keys, values = (torch.cat([F.pad(x, (0, 0, 0, 0, 1, 0))[:, :, :-1], x], dim=3) for x in (k, v))
    # END
    # BLANK visible
    query = torch.arange(q.shape[2] * size, device=q.device).view(-1, size, 1)  # [n, size, 1], positions
    key = query[:, :1] + torch.arange(-size, size, device=q.device)  # [n, 1, 2 size], below 0 before the text begins
    visible = (key >= 0) & (key <= query) & (query - key < window)  # [n, size, 2 size]
    # END
    # BLANK attend
    scores = q @ keys.mT / math.sqrt(d)  # [b, h, n, size, 2 size]
    blocks = scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values  # [b, h, n, size, d]
    # END
    # BLANK join
    return blocks.flatten(2, 3)[:, :, :t]
    # END
