"""Block-sparse attention

Full attention computes a score for every pair of tokens. Block-sparse attention cuts the text
into blocks and computes only the pairs of blocks that a mask calls active.

local_global_mask(n, reach, num_global)
        boolean [n, n], True where block i of queries attends to block j of keys: where
        |i − j| ≤ reach, and everywhere in the rows and in the columns of the first num_global
        blocks. These see all and are seen by all, so that two steps lead from any token to
        any other. n ≥ 1, reach ≥ 0, num_global from 0 to n

block_sparse_attention(q, k, v, block_mask, block)
        Token p is in block p // block; the last block may be shorter. A query of block i
        attends to all keys of all blocks j with block_mask[i, j], by one softmax:

            y_p = softmax(q_p Kᵀ / √d) V     K, V: the keys and values of the active blocks

        Any mask may be given, not only those above; nobody hides later tokens. Queries of a
        block without active blocks have the result 0 and pass on the gradient 0, never NaN.

The FLOPs are proportional to the number of active blocks; rows have different numbers of
them, and what lies between two of them is not computed either. To pad all rows to the longest
is to compute everything as soon as one block is global.

q, k, v     [b, h, t, d], float32, float16 or bfloat16; may be non-contiguous, must not change
block_mask  boolean [n, n] with n = ⌈t / block⌉, the same for all heads; may be non-contiguous
block       int, 1 or more
result      [b, h, t, d], the dtype of q; gradients flow to q, k and v

Scores may be in the thousands; the softmax must not overflow. A loop over blocks is fine,
torch's own attention is not.

Source: Child et al. 2019, arXiv:1904.10509; Longformer, arXiv:2004.05150, §3.1; BigBird, arXiv:2007.14062, §2
"""

import math

import torch
from torch import Tensor


def local_global_mask(n: int, reach: int, num_global: int) -> Tensor:
    """Boolean [n, n], True where block i of queries attends to block j of keys."""
    block = torch.arange(n)
    # TODO (1 line): boolean [n, n], True where two blocks are at most `reach` apart; call it `near`
    raise NotImplementedError("local")
    # TODO (2 lines): return `near` and what is global
    raise NotImplementedError("global")


def block_sparse_attention(q: Tensor, k: Tensor, v: Tensor, block_mask: Tensor, block: int) -> Tensor:
    """q, k, v [b, h, t, d], block_mask [n, n] -> [b, h, t, d]; only active blocks are computed."""
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):  # active [n], the blocks of keys for block i of queries
        # TODO (2 lines): `keys` and `values` of all m tokens in active blocks, [b, h, m, d]
        raise NotImplementedError("gather")
        # TODO (2 lines): append to `rows` what the queries of block i get, [b, h, tokens of the block, d]
        raise NotImplementedError("attend")
    return torch.cat(rows, dim=2)
