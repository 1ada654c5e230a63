import math

import torch
from torch import Tensor


def local_global_mask(n: int, reach: int, num_global: int) -> Tensor:
    """Boolean [n, n], True where block i of queries attends to block j of keys."""
    block = torch.arange(n)
    # BLANK local
    near = (block[:, None] - block).abs() <= reach  # [n, n]
    # END
    # BLANK global
    everywhere = block < num_global  # [n]
    return near | everywhere | everywhere[:, None]  # a global block is seen by all and sees all
    # END


def block_sparse_attention(q: Tensor, k: Tensor, v: Tensor, block_mask: Tensor, block: int) -> Tensor:
    """q, k, v [b, h, t, d], block_mask [n, n] -> [b, h, t, d]; only active blocks are computed."""
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):  # active [n], the blocks of keys for block i of queries
        # BLANK gather
        chosen = active.repeat_interleave(block)[:t]  # [t]; the last block may be shorter
        keys, values = k[:, :, chosen], v[:, :, chosen]  # [b, h, m, d]
        # END
        # BLANK attend
        scores = q[:, :, i * block : (i + 1) * block] @ keys.mT / math.sqrt(d)  # [b, h, block, m]
        rows.append(scores.softmax(dim=-1) @ values)  # one softmax over all of them; a sum over no values is 0
        # END
    return torch.cat(rows, dim=2)
