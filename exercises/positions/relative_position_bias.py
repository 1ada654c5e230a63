"""Relative positions: Shaw's clipping and T5's buckets

What attention learns about positions can belong to the relative position of two tokens,
key minus query, instead of to each token. A learned table has a row for each of them;
since texts have no end, far ones share a row.

shaw_index: clip to -k … k, then count from 0: row 0 for -k, row k for 0, row 2k for k.

t5_bucket: with bidirectional the first half of the buckets is for keys that are not later
(relative <= 0), the second half, in the same order, for later ones. Without it all buckets
are for keys that are not later, and later ones, which are masked anyway, count as 0.
Of the n buckets on one side, the first e = n/2 hold one distance each, 0 … e - 1. From e on

    bucket = e + floor(log(distance / e) / log(max_distance / e) · (n - e))

but at most the last one, n - 1. Where what is inside floor is a whole number, rounding decides;
such distances above e and below max_distance are not asked for.

t5_bias: the row of the bucket holds one number for each head, to be added to the scores. The
t_q queries are the last of the t_k tokens: with a cache, t_k - t_q came before them.

relative      int64, any shape: key position minus query position
num_buckets   a multiple of 4;  max_distance: int, larger than n/2
table         [num_buckets, h], float32, float16 or bfloat16
t_q, t_k      int, 1 <= t_q <= t_k
result        shaw_index, t5_bucket: int64, shaped like relative
              t5_bias: [h, t_q, t_k], the dtype of table, to which gradients flow

Source: Shaw et al. 2018, arXiv:1803.02155, §3.2; Raffel et al. 2020, T5, arXiv:1910.10683, §2.1 and its code
"""

import math

import torch
from torch import Tensor


def shaw_index(relative: Tensor, k: int) -> Tensor:
    """The row of each relative position, int64 of any shape, in a table of 2 k + 1 rows."""
    # TODO (1 line): return the row of each relative position
    raise NotImplementedError("clip")


def t5_bucket(relative: Tensor, num_buckets: int = 32, max_distance: int = 128, bidirectional: bool = True) -> Tensor:
    """The bucket of each relative position, int64 of any shape."""
    # TODO (7 lines): `num_buckets` of one side from here on; `distance`, at least 0; `first` bucket of the key's side
    raise NotImplementedError("sides")
    # TODO (5 lines): `exact`: e; `far`: e plus the floor of the formula, for distances from e on
    raise NotImplementedError("far")
    # TODO (1 line): return the bucket: a small distance's own or that of `far`, limited to the last one, on its side
    raise NotImplementedError("choose")


def t5_bias(table: Tensor, t_q: int, t_k: int, max_distance: int = 128, bidirectional: bool = True) -> Tensor:
    """table [num_buckets, h], learned -> what is added to the scores of the last t_q of t_k tokens, [h, t_q, t_k]."""
    # TODO (3 lines): `relative` [t_q, t_k]: key position minus query position
    raise NotImplementedError("relative")
    # TODO (2 lines): return the bias [h, t_q, t_k] from the table's rows
    raise NotImplementedError("look_up")
